#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/bootstrap.h"
#include "harness/stats/compare.h"
#include "harness/stats/distributions.h"
#include "harness/stats/majority.h"
#include "harness/stats/pass_at_k.h"
#include "harness/stats/rank_correlation.h"
#include "harness/stats/sampling_error.h"
#include "harness/stats/seed_table.h"
#include "harness/stats/undefined.h"

namespace harness {
namespace {

// Share of the k-subsets of n samples, the first c right, with at least `needed` right ones, by visiting every subset.
double counted(int64_t n, int64_t c, int64_t k, int64_t needed) {
  int64_t all = 0, good = 0;
  for (uint64_t subset = 0; subset < (uint64_t{1} << n); ++subset) {
    if (std::popcount(subset) != k) continue;
    ++all;
    good += std::popcount(subset & ((uint64_t{1} << c) - 1)) >= needed;
  }
  return static_cast<double>(good) / static_cast<double>(all);
}

TEST(PassAtK, WorkedByHand) {
  EXPECT_DOUBLE_EQ(pass_at_k(4, 1, 1), 0.25);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 1, 2), 0.5);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 2, 2), 1 - 1.0 / 6);
  EXPECT_EQ(pass_at_k(4, 0, 4), 0.0);
  EXPECT_EQ(pass_at_k(4, 1, 4), 1.0);
  EXPECT_EQ(pass_at_k(4, 4, 1), 1.0);
}

RC_GTEST_PROP(PassAtK, EqualsCountingSubsets, ()) {
  const auto n = *rc::gen::inRange<int64_t>(1, 13);
  const auto c = *rc::gen::inRange<int64_t>(0, n + 1);
  const auto k = *rc::gen::inRange<int64_t>(1, n + 1);
  RC_ASSERT(std::abs(pass_at_k(n, c, k) - counted(n, c, k, 1)) < 1e-14);
  const double tau = *rc::gen::inRange(0, 11) / 10.0;
  const auto needed = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(tau * k - 1e-9)));
  RC_ASSERT(std::abs(g_pass_at_k(n, c, k, tau) - counted(n, c, k, needed)) < 1e-13);
}

TEST(SamplingVariance, IsWithoutBiasForEveryRateWhereTwoKSamplesAreThere) {
  constexpr int64_t kSamples = 12;
  for (const int64_t k : {1, 2, 5, 6}) {
    for (const double rate : {0.0, 0.03, 0.2, 0.5, 0.8, 1.0}) {
      double mean = 0, square = 0, estimate = 0;  // over all counts
      for (int64_t right = 0; right <= kSamples; ++right) {
        const double chance = binomial_probability(kSamples, rate, right);
        const double value = pass_at_k(kSamples, right, k);
        mean += chance * value;
        square += chance * value * value;
        const std::vector<std::vector<SampleCount>> one = {{{kSamples, right}}};
        estimate += chance * sampling_variance(one, k);
      }
      EXPECT_NEAR(estimate, square - mean * mean, 1e-13) << k << " at " << rate;
    }
  }
}

TEST(CoverAtTau, IsWhatPassAtKIsAMeanOf) {
  // The identity of arXiv 2510.08325 at the rates c / n: 1 - (1 - p)^k = k * integral of (1 - tau)^(k-1) Cover(tau), here over
  // the n steps of Cover.
  constexpr int64_t kSamples = 16;
  for (const int64_t k : {1, 3, 16}) {
    for (int64_t right = 0; right <= kSamples; ++right) {
      double sum = 0;
      for (int64_t step = 1; step <= kSamples; ++step) {
        const double low = static_cast<double>(step - 1) / kSamples, high = static_cast<double>(step) / kSamples;
        sum += cover_at(kSamples, right, high) * (std::pow(1 - low, k) - std::pow(1 - high, k));
      }
      EXPECT_NEAR(sum, 1 - std::pow(1 - static_cast<double>(right) / kSamples, k), 1e-13);
    }
  }
  EXPECT_EQ(cover_at(10, 7, 0.7), 1.0);  // 0.7 * 10 is above 7 in binary
  EXPECT_EQ(cover_at(10, 6, 0.7), 0.0);
  EXPECT_EQ(cover_at(10, 0, 0.001), 0.0);
  for (int64_t c = 0; c <= 10; ++c) EXPECT_EQ(cover_at(10, c, 0.45), g_pass_at_k(10, c, 10, 0.45));
}

RC_GTEST_PROP(PassAtK, GrowsWithKAndWithC, ()) {
  const auto n = *rc::gen::inRange<int64_t>(2, 1025);
  const auto c = *rc::gen::inRange<int64_t>(0, n);
  const auto k = *rc::gen::inRange<int64_t>(1, n);
  RC_ASSERT(pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1));
  RC_ASSERT(pass_at_k(n, c, k) <= pass_at_k(n, c + 1, k));
  RC_ASSERT(std::abs(g_pass_at_k(n, c, k, 0) - pass_at_k(n, c, k)) < 1e-12);
}

TEST(PassAtK, KeepsSmallChancesOfLargeCounts) {
  // 1 - C(n-1, k) / C(n, k) = k / n.
  EXPECT_NEAR(pass_at_k(1'000'000, 1, 3), 3e-6, 1e-18);
  EXPECT_NEAR(pass_at_k(1024, 1, 512), 0.5, 1e-15);
}

TEST(PowersOfTwo, StopAtN) {
  EXPECT_EQ(powers_of_two_up_to(7), (std::vector<int64_t>{1, 2, 4}));
  EXPECT_EQ(powers_of_two_up_to(8), (std::vector<int64_t>{1, 2, 4, 8}));
}

Votes votes(std::vector<int64_t> answers, std::vector<double> right) { return {std::move(answers), std::move(right)}; }

TEST(MajorityAtK, AveragesTiesAndIgnoresMissingAnswers) {
  const RandomStream stream("test", {1});
  const std::vector<int64_t> all = {4};
  EXPECT_DOUBLE_EQ(majority_at_k(votes({0, 0, 1, 1}, {1, 0}), all, stream)[0], 0.5);
  EXPECT_DOUBLE_EQ(majority_at_k(votes({0, -1, -1, -1}, {1}), all, stream)[0], 1.0);
  EXPECT_DOUBLE_EQ(majority_at_k(votes({-1, -1, -1, -1}, {}), all, stream)[0], 0.0);
  EXPECT_DOUBLE_EQ(majority_at_k(votes({0, 1, 2, 2}, {1, 0, 0}), all, stream)[0], 0.0);
  EXPECT_DOUBLE_EQ(majority_at_k(votes({0, 1, 2, -1}, {1, 0, 0}), all, stream)[0], 1.0 / 3);
}

TEST(MajorityAtK, ExpectationOverSubsetsByHand) {
  // Pairs of {a, a, b}: {a, a} right, two ties of 1/2.
  const std::vector<int64_t> ks = {1, 2, 3};
  const auto values = majority_at_k(votes({0, 0, 1}, {1, 0}), ks, RandomStream("test", {1}));
  EXPECT_DOUBLE_EQ(values[0], 2.0 / 3);
  EXPECT_DOUBLE_EQ(values[1], (1 + 0.5 + 0.5) / 3);
  EXPECT_DOUBLE_EQ(values[2], 1.0);
}

TEST(MajorityAtK, KeyedSubsetsComeNearTheExactExpectation) {
  Votes many;
  for (int i = 0; i < 24; ++i) many.answers.push_back(i % 3 == 0 ? -1 : i % 5);
  many.right = {1, 0, 0, 1, 0};
  const std::vector<int64_t> ks = {3, 6};
  // C(24, 6) = 134596 subsets: exact when allowed that many.
  const auto exact = majority_at_k(many, ks, RandomStream("test", {1}), 200000);
  const auto drawn = majority_at_k(many, ks, RandomStream("test", {1}), 1000);
  // Standard deviation of a draw at most 1/2: 6.2 of 1/2/sqrt(1000) is a false alarm below 1e-9; the seed is fixed.
  EXPECT_NEAR(drawn[0], exact[0], 0.098);
  EXPECT_NEAR(drawn[1], exact[1], 0.098);
  EXPECT_EQ(drawn, majority_at_k(many, ks, RandomStream("test", {1}), 1000));
}

// Seeds 1, 2, ... and problems a, b, ...
SeedTable table_of(const std::vector<std::vector<double>>& seeds) {
  SeedTable table;
  for (size_t s = 0; s < seeds.size(); ++s) {
    table.seeds.push_back(static_cast<int64_t>(s) + 1);
    table.values.insert(table.values.end(), seeds[s].begin(), seeds[s].end());
  }
  for (size_t p = 0; p < seeds[0].size(); ++p) table.problems.push_back("p" + std::to_string(1000 + p));
  return table;
}

TEST(Aggregates, AgreeWithRliableAndScipy) {
  const Json golden = parse_json(read_file(MEDSBENCH_TEST_DATA "/aggregates.json"));
  for (const Json& item : golden["iqm"]) {
    EXPECT_NEAR(interquartile_mean(item["scores"].get<std::vector<double>>()), item["value"].get<double>(), 1e-14);
  }
  for (const Json& item : golden["improvement"]) {
    const auto x = item["x"].get<std::vector<std::vector<double>>>();
    const auto y = item["y"].get<std::vector<std::vector<double>>>();
    EXPECT_NEAR(probability_of_improvement(x, y), item["value"].get<double>(), 1e-14);
  }
  for (const Json& item : golden["bootstrap"]) {
    const auto values = item["values"].get<std::vector<double>>();
    const Estimate estimate = crossed_bootstrap(std::vector{table_of({values})}, RandomStream("test", {1}))[0];
    // A percentile of 10000 replicates has a standard error of about 0.02 interval widths.
    const double width = item["high"].get<double>() - item["low"].get<double>();
    EXPECT_NEAR(estimate.low, item["low"].get<double>(), 0.05 * width);
    EXPECT_NEAR(estimate.high, item["high"].get<double>(), 0.05 * width);
  }
}

TEST(Aggregates, QuantileInterpolates) {
  EXPECT_DOUBLE_EQ(quantile_of({3, 1, 2}, 0.25), 1.5);
  EXPECT_DOUBLE_EQ(quantile_of({5}, 0.9), 5);
  EXPECT_TRUE(std::isnan(quantile_of({}, 0.5)));
}

TEST(Entropy, OfCountsByHand) {
  EXPECT_NEAR(entropy_of_counts(std::vector<int64_t>{1, 2, 1}), 1.5 * std::log(2.0), 1e-15);
  EXPECT_EQ(entropy_of_counts(std::vector<int64_t>{7}), 0);
  EXPECT_EQ(entropy_of_counts({}), 0);
}

TEST(CrossedBootstrap, LeavesMissingValuesOut) {
  const std::vector<SeedTable> tables = {table_of({{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}),
                                         table_of({{0, 0, 0}, {0.25, 0.25, kUndefined}})};
  const auto estimates = crossed_bootstrap(tables, RandomStream("test", {1}));
  EXPECT_DOUBLE_EQ(estimates[0].value, 0.5);
  EXPECT_DOUBLE_EQ(estimates[0].low, 0.5);
  EXPECT_DOUBLE_EQ(estimates[1].value, 0.1);  // 2 of 5 values are 1/4
  EXPECT_DOUBLE_EQ(estimates[1].low, 0.0);
  EXPECT_DOUBLE_EQ(estimates[1].high, 0.25);
}

TEST(CrossedBootstrap, OneSeedResamplesProblemsAlone) {
  // Three problems 0, 0, 1: a replicate is Binomial(3, 1/3) / 3.
  const Estimate estimate = crossed_bootstrap(std::vector{table_of({{0, 0, 1}})}, RandomStream("test", {1}))[0];
  EXPECT_DOUBLE_EQ(estimate.value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(estimate.low, 0.0);
  EXPECT_DOUBLE_EQ(estimate.high, 1.0);  // P(all three) = 1/27 > 0.025
}

TEST(InterquartileInterval, WorkedByHand) {
  // One set, three seeds, none cut: the mean, and its pseudo-values are the values: Student's interval of 0.2, 0.4, 0.6.
  const MeanInterval mean = interquartile_interval(std::vector<std::vector<double>>{{0.2}, {0.4}, {0.6}});
  EXPECT_DOUBLE_EQ(mean.value, 0.4);
  EXPECT_NEAR(mean.standard_error, 0.2 / std::sqrt(3.0), 1e-12);
  EXPECT_DOUBLE_EQ(mean.low, 0);  // 0.4 - 4.303 * 0.1155
  EXPECT_NEAR(mean.high, 0.4 + 4.302653 * 0.2 / std::sqrt(3.0), 1e-6);
  // Seeds that agree on every set leave nothing open; one seed says nothing of others.
  const MeanInterval same = interquartile_interval(std::vector<std::vector<double>>{{0.1, 0.9}, {0.1, 0.9}, {0.1, 0.9}});
  EXPECT_EQ(same.low, same.high);
  EXPECT_TRUE(std::isnan(interquartile_interval(std::vector<std::vector<double>>{{0.1, 0.9}}).low));
}

TEST(CrossedMean, WorkedByHand) {
  // Seeds' averages 1 and 2 (A = 1/2), problems' averages 0.5, 2.5 (B = 2), residuals +-1/2 (E = 1).
  const std::vector<SeedTable> sets = {table_of({{0.5, 1.5}, {0.5, 3.5}})};
  const MeanInterval mean = crossed_mean(sets);
  EXPECT_DOUBLE_EQ(mean.value, 1.5);
  // A/2 + (B - E/2)/2 = 0.25 + 1 - 0.25, held to at least B/2 = 1.
  EXPECT_DOUBLE_EQ(mean.standard_error, 1.0);
  EXPECT_DOUBLE_EQ(mean.degrees, 1.0);
  EXPECT_NEAR(mean.high - mean.value, 12.706204736432095, 1e-9);
  EXPECT_DOUBLE_EQ(mean.seed_deviation, std::sqrt(0.5));
  EXPECT_NEAR(mean.p_value, 0.3743340836219976, 1e-12);  // of |t| >= 1.5 at one degree of freedom: 1 - 2 atan(1.5) / pi
}

TEST(CrossedMean, OfOneSeedIsTheStudentIntervalOverProblems) {
  const std::vector<SeedTable> sets = {table_of({{1, 2, 3, 4, 5}})};
  const MeanInterval mean = crossed_mean(sets);
  EXPECT_DOUBLE_EQ(mean.value, 3);
  EXPECT_NEAR(mean.low, 3 - 2.7764451051977987 * std::sqrt(0.5), 1e-12);
  EXPECT_DOUBLE_EQ(mean.degrees, 4);
}

TEST(CrossedMean, SetsWeighTheSameWhateverTheirSize) {
  const std::vector<SeedTable> sets = {table_of({{1, 1, 1, 1}}), table_of({{0, 0}})};
  EXPECT_DOUBLE_EQ(crossed_mean(sets).value, 0.5);
}

TEST(CrossedMean, IsOverTheSeedsThatEverySetHas) {
  SeedTable first = table_of({{1, 1}, {3, 3}}), second = table_of({{5, 5}, {7, 7}});
  second.seeds = {2, 3};  // seed 2 alone is shared
  const MeanInterval mean = crossed_mean(std::vector<SeedTable>{first, second});
  EXPECT_EQ(mean.seeds, 1);
  EXPECT_EQ(mean.problems, 4);
  EXPECT_DOUBLE_EQ(mean.value, 4);  // (3 + 5) / 2
  second.seeds = {4, 5};
  EXPECT_TRUE(std::isnan(crossed_mean(std::vector<SeedTable>{first, second}).value));
}

TEST(CrossedMean, AProblemThatMissesASeedCountsForTheValueAlone) {
  const MeanInterval mean = crossed_mean(std::vector{table_of({{0, 2, 4, 9}, {1, 3, 8, kUndefined}})});
  EXPECT_DOUBLE_EQ(mean.value, (15.0 / 4 + 12.0 / 3) / 2);
  // Averages of the three other problems 0.5, 2.5, 6 (B = 7.75); the seeds' part 1/64 and E = 1.5 leave B / 3 the largest.
  EXPECT_DOUBLE_EQ(mean.standard_error, std::sqrt(7.75 / 3));
  EXPECT_EQ(mean.seeds, 2);
  EXPECT_EQ(mean.problems, 4);
}

TEST(PairedDifference, IsTakenWhereBothHaveTheSeedAndTheProblem) {
  SeedTable row = table_of({{1, 2, 3}, {4, 5, 6}}), base = table_of({{1, 1, 1}, {2, 2, 2}});
  base.seeds = {2, 3};
  base.problems = {"p1001", "p1002", "p1003"};
  const SeedTable difference = paired_difference(row, base);
  EXPECT_EQ(difference.seeds, (std::vector<int64_t>{2}));
  EXPECT_EQ(difference.problems, (std::vector<std::string>{"p1001", "p1002"}));
  EXPECT_EQ(difference.values, (std::vector<double>{4, 5}));
}

TEST(PairedDifference, StandsAgainstAnUntrainedBaseOfOneSeed) {
  SeedTable base = table_of({{1, 1}});
  base.seeds = {0};
  const SeedTable difference = paired_difference(table_of({{1, 2}, {3, 5}}), base);
  EXPECT_EQ(difference.values, (std::vector<double>{0, 1, 2, 4}));
  base.seeds = {1};  // a trained one stands against its own seed
  EXPECT_EQ(paired_difference(table_of({{1, 2}, {3, 5}}), base).seeds, (std::vector<int64_t>{1}));
}

TEST(Holm, DecidesStepDownAndItsLevelsAgreeWithItsDecisions) {
  const std::vector<double> p{0.01, 0.04, 0.03, 0.005};  // sorted: .005*4, .01*3, .03*2, .04*1
  const auto decisions = holm(p);
  EXPECT_NEAR(decisions[3].adjusted_p, 0.02, 1e-12);
  EXPECT_NEAR(decisions[0].adjusted_p, 0.03, 1e-12);
  EXPECT_NEAR(decisions[2].adjusted_p, 0.06, 1e-12);
  EXPECT_NEAR(decisions[1].adjusted_p, 0.06, 1e-12);  // adjusted p-values do not decrease
  EXPECT_TRUE(decisions[0].different && decisions[3].different);
  EXPECT_FALSE(decisions[1].different || decisions[2].different);
  EXPECT_NEAR(decisions[3].level, 1 - 0.05 / 4, 1e-12);
  EXPECT_NEAR(decisions[1].level, 1 - 0.05 / 2, 1e-12);
}

TEST(SamplingError, WorkedByHand) {
  // pass@1: p (1 - p) / (n - 1) of each problem, half of its root of the two.
  const std::vector<std::vector<SampleCount>> two = {{{4, 2}, {4, 4}}};
  EXPECT_NEAR(sampling_error(two, 1), std::sqrt(0.25 / 3) / 2, 1e-15);
  // pass@2 of one problem with 1 of 4 right: one of two halves has it, and the halves' difference, 1, is squared and halved
  // twice: the mean of two such halves would have a quarter, their average over all halves as here half of that.
  const std::vector<std::vector<SampleCount>> one = {{{4, 1}}};
  EXPECT_NEAR(sampling_error(one, 2), 0.5, 1e-15);
  // Two seeds of that problem weigh half each.
  const std::vector<std::vector<SampleCount>> seeds = {{{4, 1}}, {{4, 1}}};
  EXPECT_NEAR(sampling_error(seeds, 2), std::sqrt(0.125), 1e-15);
  // Nothing is open where every problem is always or never right.
  const std::vector<std::vector<SampleCount>> sure = {{{4, 4}, {4, 0}}};
  for (const int64_t k : {1, 2, 4}) EXPECT_NEAR(sampling_error(sure, k), 0, k == 4 ? 0.05 : 1e-15) << k;
}

TEST(SamplingError, IsUndefinedWithoutProblemsAndForAKAboveN) {
  const std::vector<std::vector<SampleCount>> none, empty = {{}}, few = {{{4, 2}}};
  EXPECT_TRUE(std::isnan(sampling_error(none, 1)));
  EXPECT_TRUE(std::isnan(sampling_error(empty, 1)));
  EXPECT_TRUE(std::isnan(sampling_error(few, 5)));
}

TEST(RankCorrelation, IsTheOneWorkedByHand) {
  const auto of = [](std::vector<double> x, std::vector<double> y) { return rank_correlation(x, y); };
  EXPECT_DOUBLE_EQ(of({1, 2, 3}, {10, 100, 101}), 1);
  EXPECT_DOUBLE_EQ(of({1, 2, 3, 4}, {9, 7, 0, -1}), -1);
  EXPECT_DOUBLE_EQ(of({1, 2, 3, 4, 5}, {2, 1, 4, 3, 5}), 0.8) << "1 - 6 * 4 / (5 * 24)";
  // Ranks 1.5 1.5 3 4 and 2 2 2 4: less 2.5, products 0.5 + 0.5 - 0.25 + 2.25, squares 4.5 and 3.
  EXPECT_DOUBLE_EQ(of({0, 0, 1, 2}, {5, 5, 5, 6}), 3 / std::sqrt(4.5 * 3));
  EXPECT_TRUE(std::isnan(of({}, {})));
  EXPECT_TRUE(std::isnan(of({1}, {1})));
  EXPECT_TRUE(std::isnan(of({1, 2}, {3, 3})));
}

}  // namespace
}  // namespace harness
