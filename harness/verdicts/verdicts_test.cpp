#include "harness/verdicts/verdicts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/verdicts/anytime.h"
#include "harness/verdicts/sequential.h"

namespace harness {
namespace {

const Json& golden() {
  static const Json kGolden = parse_json(read_file(MEDSBENCH_TEST_DATA "/sequential.json"));
  return kGolden;
}

TEST(SequentialTest, ErrsAsOftenAsAnIndependentIntegrationSays) {
  for (const Json& one : golden()["crossings"]) {
    const auto looks = one["looks"].get<std::vector<int64_t>>();
    const auto levels = one["levels"].get<std::vector<double>>();
    const auto crossed = one["crossed"].get<double>();
    EXPECT_NEAR(crossing_probability(looks, levels), crossed, 2e-3 * crossed) << one.dump();
  }
}

TEST(SequentialTest, LevelsSpendExactlyWhatIsAllowed) {
  for (const Boundary boundary : {Boundary::obrien_fleming, Boundary::pocock}) {
    const SequentialTest test(boundary, {5, 10, 15, 20});
    for (const double alpha : {0.05, 0.05 / 64}) {
      const std::vector<double> levels = test.levels(alpha);
      for (size_t look = 0; look < levels.size(); ++look) {
        RecordProperty(std::string(boundary_name(boundary)) + " " + std::to_string(alpha) + " look " + std::to_string(look + 1),
                       std::to_string(levels[look]));
      }
      EXPECT_NEAR(crossing_probability(test.looks(), levels), alpha, 2e-3 * alpha);
      // A look that just reaches its level has alpha as its p-value.
      for (size_t look = 0; look < levels.size(); ++look) EXPECT_NEAR(test.p_value(look, levels[look]), alpha, 1e-3 * alpha);
    }
  }
  // O'Brien and Fleming's boundary hardly spends anything early, Pocock's the same p-value at every look.
  const std::vector<double> late = SequentialTest(Boundary::obrien_fleming, {5, 10, 15, 20}).levels(0.05);
  EXPECT_LT(late.front(), 1e-4);
  EXPECT_GT(late.back(), 0.04);
  const std::vector<double> even = SequentialTest(Boundary::pocock, {5, 10, 15, 20}).levels(0.05);
  EXPECT_DOUBLE_EQ(even.front(), even.back());
  EXPECT_NEAR(even.front(), 0.017, 5e-4);
}

TEST(SequentialTest, OneLookIsAnOrdinaryTest) {
  const SequentialTest test(Boundary::obrien_fleming, {5});
  EXPECT_NEAR(test.levels(0.05).front(), 0.05, 1e-9);
  EXPECT_NEAR(test.p_value(0, 0.03), 0.03, 1e-9);
}

TEST(SequentialTest, RefusesLooksThatAreNone) {
  EXPECT_EQ(error_of([] { SequentialTest(Boundary::pocock, {1, 5}); }), "expected looks at 2 seeds or more, found 1");
  EXPECT_EQ(error_of([] { SequentialTest(Boundary::pocock, {5, 5}); }), "expected looks in increasing order, found 5 after 5");
}

TEST(AnytimeTest, AgreesWithATranscription) {
  for (const Json& one : golden()["anytime"]) {
    const SeedSample sample{one["seeds"].get<int64_t>(), one["mean"].get<double>(), one["deviation"].get<double>()};
    EXPECT_NEAR(e_value(sample) / one["e"].get<double>(), 1, 1e-12);
    for (const auto& [key, alpha] : {std::pair("half_width_05", 0.05), std::pair("half_width_001", 0.001)}) {
      const double half = anytime_half_width(sample, alpha);
      if (one[key].is_null()) {
        EXPECT_TRUE(std::isinf(half));
      } else {
        EXPECT_NEAR(half / one[key].get<double>(), 1, 1e-12);
      }
    }
    EXPECT_EQ(stein_seeds(sample, 0.7, 0.95), one["stein"].get<int64_t>());
  }
}

TEST(AnytimeTest, IntervalHoldsTheMeansThatAreNotRejected) {
  const SeedSample sample{12, 0.4, 1.3};
  SeedSample shifted = sample;
  shifted.mean = anytime_half_width(sample, 0.05);  // as far from 0 as the interval reaches
  EXPECT_NEAR(e_value(shifted), 1 / 0.05, 1e-9);
}

// A comparison of one set with two problems, where seeds are all that varies: the crossed mean is then Student's t over seeds.
Contrast of_seeds(const std::vector<double>& differences, double margin = 0) {
  std::vector<int64_t> seeds;
  for (size_t s = 0; s < differences.size(); ++s) seeds.push_back(static_cast<int64_t>(s) + 1);
  Contrast contrast{{SeedTable(seeds, {"a", "b"})}, margin};
  for (size_t s = 0; s < differences.size(); ++s) {
    contrast.difference.front().at(s, 0) = contrast.difference.front().at(s, 1) = differences[s];
  }
  return contrast;
}

const SeedRule kTwoLooks{SeedRule::Kind::group_sequential, Boundary::obrien_fleming, {3, 6}, 0, 0};

TEST(Verdicts, FollowTheLooksAndAskForSeedsOnlyWhereSomethingIsOpen) {
  const VerdictRule judge(kTwoLooks);
  const std::vector<Contrast> family = {of_seeds({0.100, 0.101, 0.099}), of_seeds({0.01, -0.02, 0.02}), of_seeds({})};
  const FamilyVerdicts verdicts = judge.judge(family);
  EXPECT_EQ(verdicts.each[0].decision, Decision::better);
  EXPECT_EQ(verdicts.each[0].seeds, 3);
  EXPECT_GT(verdicts.each[0].low, 0);
  EXPECT_EQ(verdicts.each[1].decision, Decision::undecided);
  EXPECT_LT(verdicts.each[1].low, 0);
  EXPECT_EQ(verdicts.next_seeds, (std::vector<int64_t>{0, 6, 3}));
  ASSERT_EQ(verdicts.looks.size(), 1U);
  EXPECT_EQ(verdicts.looks.front().seeds, 3);
  EXPECT_EQ(verdicts.looks.front().decided, std::vector<size_t>{0});
}

TEST(Verdicts, ADecisionStaysWhateverTheLaterSeedsSay) {
  // After its verdict a row went on for another comparison's sake: three seeds that turn the sign.
  const VerdictRule judge(kTwoLooks);
  const std::vector<Contrast> family = {of_seeds({0.100, 0.101, 0.099, -0.2, -0.3, -0.2})};
  const FamilyVerdicts verdicts = judge.judge(family);
  EXPECT_EQ(verdicts.each[0].decision, Decision::better);
  EXPECT_EQ(verdicts.each[0].seeds, 3);
}

TEST(Verdicts, EquivalenceNeedsAMarginAndAnIntervalWithinIt) {
  const std::vector<double> near_zero = {0.001, -0.002, 0.0015, -0.001, 0.0005};
  const VerdictRule judge(SeedRule{});
  EXPECT_EQ(judge.judge(std::vector{of_seeds(near_zero)}).each[0].decision, Decision::undecided);
  EXPECT_EQ(judge.judge(std::vector{of_seeds(near_zero, 0.01)}).each[0].decision, Decision::equivalent);
  EXPECT_EQ(judge.judge(std::vector{of_seeds(near_zero, 0.001)}).each[0].decision, Decision::undecided);
  // Different and within the margin: the difference is what is said.
  EXPECT_EQ(judge.judge(std::vector{of_seeds({0.0050, 0.0051, 0.0049, 0.0050}, 0.01)}).each[0].decision, Decision::better);
}

TEST(Verdicts, OfAFixedRuleAreHolmsOnTheCrossedIntervals) {
  const VerdictRule judge(SeedRule{});
  const std::vector<Contrast> family = {of_seeds({0.10, 0.13, 0.11}), of_seeds({0.01, -0.02, 0.02}),
                                        of_seeds({-0.2, -0.3, -0.1})};
  const FamilyVerdicts verdicts = judge.judge(family);
  std::vector<double> p_values;
  for (const Contrast& contrast : family) p_values.push_back(crossed_mean(contrast.difference).p_value);
  const std::vector<HolmDecision> decisions = holm(p_values);
  for (size_t i = 0; i < family.size(); ++i) {
    EXPECT_EQ(verdicts.each[i].p_value, decisions[i].adjusted_p);
    EXPECT_EQ(verdicts.each[i].decision != Decision::undecided, decisions[i].different);
  }
  EXPECT_TRUE(verdicts.looks.empty());
}

TEST(Verdicts, SayHowManySeedsWouldDecide) {
  // Mean 0.01 and deviation 0.02 over five seeds: t_{n-1} 0.02 / sqrt(n) < 0.01 first holds at n = 18.
  const VerdictRule judge(SeedRule{});
  const Contrast open = of_seeds({0.01 - 0.02 * std::sqrt(2.0), 0.01, 0.01, 0.01, 0.01 + 0.02 * std::sqrt(2.0)});
  const ComparisonVerdict verdict = judge.judge(std::vector{open}).each[0];
  EXPECT_NEAR(verdict.difference.seed_deviation, 0.02, 1e-12);
  EXPECT_EQ(verdict.decision, Decision::undecided);
  EXPECT_EQ(verdict.wanted, 18);
  // No difference at all seen and no margin: no number of seeds would.
  EXPECT_EQ(judge.judge(std::vector{of_seeds({-0.01, 0.01})}).each[0].wanted, 0);
}

TEST(Verdicts, AHalfWidthAsksForTheSeedsThatStein1945Says) {
  const SeedRule rule{SeedRule::Kind::half_width, Boundary::obrien_fleming, {4, 30}, 0.02, 0};
  const VerdictRule judge(rule);
  const std::vector<double> first = {0.01, -0.02, 0.02, 0.03};
  const int64_t wanted = stein_seeds(seed_sample(first), 0.02, 0.95);
  ASSERT_GT(wanted, 4);
  ASSERT_LT(wanted, 30);
  EXPECT_EQ(judge.judge(std::vector{of_seeds(first)}).next_seeds, std::vector<int64_t>{wanted});
  std::vector<double> all = first;
  while (static_cast<int64_t>(all.size()) < wanted) all.push_back(0.01);
  const FamilyVerdicts verdicts = judge.judge(std::vector{of_seeds(all)});
  EXPECT_EQ(verdicts.next_seeds, std::vector<int64_t>{0});
  EXPECT_LE((verdicts.each[0].high - verdicts.each[0].low) / 2, 0.02);
}

}  // namespace
}  // namespace harness
