#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/bootstrap.h"
#include "harness/stats/compare.h"
#include "harness/stats/majority.h"
#include "harness/stats/pass_at_k.h"

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
    CellTable table(1, static_cast<int64_t>(values.size()), 1);
    for (size_t i = 0; i < values.size(); ++i) table.at(0, static_cast<int64_t>(i), 0) = values[i];
    const Estimate estimate = crossed_bootstrap(table, RandomStream("test", {1}))[0];
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

TEST(CrossedBootstrap, LeavesMissingCellsOut) {
  CellTable table(2, 3, 2);
  const double missing = std::numeric_limits<double>::quiet_NaN();
  for (int64_t s = 0; s < 2; ++s) {
    for (int64_t p = 0; p < 3; ++p) {
      table.at(s, p, 0) = 0.5;
      table.at(s, p, 1) = s == 1 && p == 2 ? missing : 0.25 * static_cast<double>(s);
    }
  }
  const auto estimates = crossed_bootstrap(table, RandomStream("test", {1}));
  EXPECT_DOUBLE_EQ(estimates[0].value, 0.5);
  EXPECT_DOUBLE_EQ(estimates[0].low, 0.5);
  EXPECT_DOUBLE_EQ(estimates[1].value, 0.1);  // 2 of 5 cells hold 1/4
  EXPECT_DOUBLE_EQ(estimates[1].low, 0.0);
  EXPECT_DOUBLE_EQ(estimates[1].high, 0.25);
}

TEST(CrossedBootstrap, OneSeedResamplesProblemsAlone) {
  // Three problems 0, 0, 1: a replicate is Binomial(3, 1/3) / 3.
  CellTable table(1, 3, 1);
  for (int64_t p = 0; p < 3; ++p) table.at(0, p, 0) = p == 2;
  const Estimate estimate = crossed_bootstrap(table, RandomStream("test", {1}))[0];
  EXPECT_DOUBLE_EQ(estimate.value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(estimate.low, 0.0);
  EXPECT_DOUBLE_EQ(estimate.high, 1.0);  // P(all three) = 1/27 > 0.025
}

CellTable table_of(const std::vector<std::vector<double>>& seeds) {
  CellTable table(static_cast<int64_t>(seeds.size()), static_cast<int64_t>(seeds[0].size()), 1);
  for (size_t s = 0; s < seeds.size(); ++s) {
    for (size_t p = 0; p < seeds[s].size(); ++p) table.at(static_cast<int64_t>(s), static_cast<int64_t>(p), 0) = seeds[s][p];
  }
  return table;
}

TEST(CrossedMean, WorkedByHand) {
  // Seeds' averages 1 and 2 (A = 1/2), problems' averages 0.5, 2.5 (B = 2), residuals +-1/2 (E = 1).
  const std::vector<CellTable> sets = {table_of({{0.5, 1.5}, {0.5, 3.5}})};
  const CrossedMean mean = crossed_mean(sets);
  EXPECT_DOUBLE_EQ(mean.value, 1.5);
  // A/2 + (B - E/2)/2 = 0.25 + 1 - 0.25, held to at least B/2 = 1.
  EXPECT_DOUBLE_EQ(mean.standard_error, 1.0);
  EXPECT_DOUBLE_EQ(mean.degrees, 1.0);
  EXPECT_NEAR(mean.high - mean.value, 12.706204736432095, 1e-9);
  EXPECT_DOUBLE_EQ(mean.problem_variance, 1.5);
  EXPECT_DOUBLE_EQ(mean.residual_variance, 1.0);
  EXPECT_NEAR(mean.seed_variance, 0.0, 1e-15);
}

TEST(CrossedMean, OfOneSeedIsTheStudentIntervalOverProblems) {
  const std::vector<CellTable> sets = {table_of({{1, 2, 3, 4, 5}})};
  const CrossedMean mean = crossed_mean(sets);
  EXPECT_DOUBLE_EQ(mean.value, 3);
  EXPECT_NEAR(mean.low, 3 - 2.7764451051977987 * std::sqrt(0.5), 1e-12);
  EXPECT_DOUBLE_EQ(mean.degrees, 4);
}

TEST(CrossedMean, SetsWeighTheSameWhateverTheirSize) {
  const std::vector<CellTable> sets = {table_of({{1, 1, 1, 1}}), table_of({{0, 0}})};
  EXPECT_DOUBLE_EQ(crossed_mean(sets).value, 0.5);
}

TEST(PairedDifference, StandsAgainstAnUntrainedBaseOfOneSeed) {
  const CellTable difference = paired_difference(table_of({{1, 2}, {3, 5}}), table_of({{1, 1}}));
  EXPECT_DOUBLE_EQ(difference.at(1, 1, 0), 4);
  EXPECT_DOUBLE_EQ(difference.at(0, 0, 0), 0);
}

TEST(Holm, WorkedByHand) {
  const auto adjusted = holm_adjusted(std::vector<double>{0.04, 0.01, 0.03, 0.5});
  const std::vector<double> expected = {0.09, 0.04, 0.09, 0.5};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(adjusted[i], expected[i]);
}

TEST(SamplingStandardError, IsBinomialAboutEachProblem) {
  EXPECT_NEAR(sampling_standard_error(std::vector<int64_t>{2, 4}, std::vector<int64_t>{4, 4}), std::sqrt(0.25 / 3) / 2, 1e-15);
}

}  // namespace
}  // namespace harness
