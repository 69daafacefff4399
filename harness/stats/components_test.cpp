// Variance parts, the best number of samples and the gain of pairing: by hand, and where the truth is known by simulation.
#include "harness/stats/components.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/core/random.h"
#include "harness/stats/aggregate.h"

namespace harness {
namespace {

class StandardNormals {
 public:
  explicit StandardNormals(uint64_t key) : stream_("simulated parts", {key}) {}
  double next() { return stream_.normal(counter_++); }

 private:
  RandomStream stream_;
  uint64_t counter_ = 0;
};

// Standard deviations of one seed's shift, of a problem, of a seed's effect on a problem, and of the noise of the samples.
struct Deviations {
  double seed = 0, problem = 0, interaction = 0, samples = 0, fixed = 0;
};

// Two sets of `problems` each: a seed's shift is common to both. `fixed`: noise of each problem that all seeds share.
std::vector<SeedTable> crossed_sets(StandardNormals& draws, int64_t seeds, int64_t problems, const Deviations& of) {
  std::vector<SeedTable> sets;
  std::vector<double> shifts;
  for (int64_t s = 0; s < seeds; ++s) shifts.push_back(of.seed * draws.next());
  for (int set = 0; set < 2; ++set) {
    SeedTable& table = sets.emplace_back();
    for (int64_t s = 0; s < seeds; ++s) table.seeds.push_back(s + 1);
    for (int64_t p = 0; p < problems; ++p) table.problems.push_back("p" + std::to_string(1000 + p));
    table.values.resize(static_cast<size_t>(seeds * problems));
    for (int64_t p = 0; p < problems; ++p) {
      const double effect = of.problem * draws.next() + of.fixed * draws.next();
      for (int64_t s = 0; s < seeds; ++s) {
        table.at(static_cast<size_t>(s), static_cast<size_t>(p)) =
            effect + shifts[static_cast<size_t>(s)] + of.interaction * draws.next() + of.samples * draws.next();
      }
    }
  }
  return sets;
}

TEST(VarianceParts, AreThoseOfTheModelOnAverageAndTheirErrorsTheirSpread) {
  // The nano suite's paired difference: 10 seeds, five sets as two of 100; 2000 experiments. A part's mean has an error of
  // at most 1.5 % of the whole: bounds of 8 % are more than five of those. The errors of shares are rough with ten seeds: four
  // fifths of the spread in the median.
  constexpr int64_t kSeeds = 10, kProblems = 100;
  const Deviations of{0.017, 0.05, 0.18, 0.04, 0.03};
  const double count = 2 * kProblems;
  const double seed = of.seed * of.seed / kSeeds, problem = of.problem * of.problem / count;
  const double interaction = of.interaction * of.interaction / (count * kSeeds);
  const double samples = of.samples * of.samples / (count * kSeeds), fixed = of.fixed * of.fixed / count;
  const double whole = seed + problem + interaction + samples + fixed;
  std::vector<double> seeds, problems, interactions, shares, errors;
  for (uint64_t experiment = 0; experiment < 2000; ++experiment) {
    StandardNormals draws(experiment);
    const VarianceParts parts = variance_parts(crossed_sets(draws, kSeeds, kProblems, of), samples, fixed);
    seeds.push_back(parts.seed.variance / whole);
    problems.push_back(parts.problem.variance / whole);
    interactions.push_back(parts.interaction.variance / whole);
    shares.push_back(parts.interaction.share);
    errors.push_back(parts.interaction.share_error);
    ASSERT_NEAR(parts.samples.variance, samples + fixed, 1e-15);
    ASSERT_NEAR(parts.seed.share + parts.problem.share + parts.interaction.share + parts.samples.share, 1, 1e-12);
  }
  EXPECT_NEAR(mean_of(seeds), seed / whole, 0.08);
  EXPECT_NEAR(mean_of(problems), problem / whole, 0.08);
  EXPECT_NEAR(mean_of(interactions), interaction / whole, 0.08);
  RecordProperty("share_error_over_spread", std::to_string(quantile_of(errors, 0.5) / deviation_of(shares)));
  EXPECT_NEAR(quantile_of(errors, 0.5) / deviation_of(shares), 1, 0.3);
}

TEST(VarianceParts, OfOneSeedKeepTheProblemsAndTheSamplesApart) {
  StandardNormals draws(1);
  const auto sets = crossed_sets(draws, 1, 20, {0, 0.3, 0, 0.1});
  const VarianceParts parts = variance_parts(sets, 2e-4);
  EXPECT_TRUE(std::isnan(parts.seed.variance) && std::isnan(parts.interaction.share));
  const double error = crossed_mean(sets).standard_error;
  EXPECT_NEAR(parts.problem.variance + parts.samples.variance, error * error, 1e-15);
  EXPECT_NEAR(parts.problem.share + parts.samples.share, 1, 1e-12);
  EXPECT_TRUE(std::isnan(best_samples(parts, 16, {1000, 1}).n));
  EXPECT_EQ(variance_parts({}, 0).seeds, 0);
}

TEST(BestSamples, LeaveTheLeastVarianceOfAllNumbersAtOneCost) {
  VarianceParts parts;
  parts.seeds = 10;
  parts.problems = 200;
  parts.seed.variance = 2.9e-5;
  parts.interaction.variance = 1.76e-5;
  parts.paired_samples = 0.8e-6;  // at 128 samples
  const SeedCost cost{190000, 14};
  const BestSamples best = best_samples(parts, 128, cost);
  const auto variance = [&](double n) {  // what seeds of a given cost leave
    return (parts.seed.variance + parts.interaction.variance + parts.paired_samples * 128 / n) *
           (cost.training + 200 * n * cost.sample);
  };
  double least = 1;
  for (double n = 1; n <= 1000; ++n) {
    if (variance(n) < variance(least)) least = n;
  }
  EXPECT_NEAR(best.n, least, 1);
  EXPECT_NEAR(best.gain, variance(128) / variance(least), 0.01);
  EXPECT_TRUE(std::isnan(best_samples(parts, 128, {}).n)) << "no costs";
  parts.seed.variance = -1e-4;
  EXPECT_TRUE(std::isnan(best_samples(parts, 128, cost).n)) << "nothing but samples varies";
}

TEST(Pairing, IsTheCorrelationOfTheSeedsAndTheVarianceItSaves) {
  // Ten seeds of a common deviation, correlated by .55: the ratio is .45. 3000 experiments; the share of intervals that hold
  // the truth has an error of .004.
  constexpr double kCorrelation = 0.55;
  int64_t covered = 0;
  std::vector<double> of_differences, of_both;
  for (uint64_t experiment = 0; experiment < 3000; ++experiment) {
    StandardNormals draws(50000 + experiment);
    std::vector<double> row, base;
    for (int s = 0; s < 10; ++s) {
      const double common = draws.next();
      row.push_back(std::sqrt(kCorrelation) * common + std::sqrt(1 - kCorrelation) * draws.next());
      base.push_back(std::sqrt(kCorrelation) * common + std::sqrt(1 - kCorrelation) * draws.next());
    }
    const Pairing found = pairing(row, base);
    covered += found.low <= kCorrelation && kCorrelation <= found.high;
    const double both = std::pow(deviation_of(row), 2) + std::pow(deviation_of(base), 2);
    of_both.push_back(both);
    of_differences.push_back(found.variance_ratio * both);
    ASSERT_LE(found.ratio_low, found.variance_ratio + 1e-12);
    ASSERT_LE(found.variance_ratio, found.ratio_high + 1e-12);
  }
  EXPECT_NEAR(mean_of(of_differences) / mean_of(of_both), 1 - kCorrelation, 0.03);
  EXPECT_NEAR(static_cast<double>(covered) / 3000, 0.95, 0.025);
  const std::vector<double> two = {1, 2}, same = {5, 5};
  EXPECT_NEAR(pairing(two, two).variance_ratio, 0, 1e-15);
  EXPECT_TRUE(std::isnan(pairing(two, two).low)) << "no interval from fewer than 4 seeds";
  EXPECT_TRUE(std::isnan(pairing(two, same).correlation));
}

}  // namespace
}  // namespace harness
