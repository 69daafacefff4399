#include "harness/verdicts/condition.h"

#include <gtest/gtest.h>

#include "harness/core/testing.h"

namespace harness {
namespace {

using Is = Condition::Is;

// Two problems whose differences have this mean over three seeds, which are 0.01 apart.
ComparisonVerdict alone(double mean, double margin) {
  SeedTable table({1, 2, 3}, {"a", "b"});
  for (size_t seed = 0; seed < 3; ++seed) {
    for (size_t problem = 0; problem < 2; ++problem) table.at(seed, problem) = mean + 0.01 * (static_cast<double>(seed) - 1);
  }
  const Contrast contrast{{table}, margin};
  SeedRule rule;
  rule.margin = margin;
  return VerdictRule(rule).judge(std::span(&contrast, 1)).each.front();
}

bool holds(Is is, double mean, double by = 0, double margin = 0) {
  Condition condition;
  condition.is = is;
  condition.by = by;
  return condition_holds(condition, alone(mean, margin));
}

// The interval of three seeds 0.01 apart is +- 4.30 x 0.01 / sqrt(3) = 0.0248, one-sided at 5 % 2.92 x 0.00577 = 0.0169.
TEST(Conditions, HoldByWhatOneTestSaysAndByTheDifferenceSeen) {
  EXPECT_TRUE(holds(Is::better, 0.06));
  EXPECT_TRUE(holds(Is::better, 0.06, 0.05));
  EXPECT_FALSE(holds(Is::better, 0.06, 0.07)) << "shown, but smaller";
  EXPECT_FALSE(holds(Is::better, 0.024)) << "its interval has 0";
  EXPECT_TRUE(holds(Is::better, 0.026));
  EXPECT_FALSE(holds(Is::better, -0.06));
  EXPECT_TRUE(holds(Is::worse, -0.06, 0.05));
  EXPECT_FALSE(holds(Is::worse, -0.06, 0.07));
  EXPECT_FALSE(holds(Is::worse, -0.024));
  EXPECT_FALSE(holds(Is::worse, 0.06));
  EXPECT_TRUE(holds(Is::not_better, 0.024));
  EXPECT_FALSE(holds(Is::not_better, 0.026));
  EXPECT_TRUE(holds(Is::not_better, 0.026, 0.03));
  EXPECT_TRUE(holds(Is::not_better, -0.06));
  EXPECT_TRUE(holds(Is::not_worse, -0.024));
  EXPECT_FALSE(holds(Is::not_worse, -0.026));
  EXPECT_TRUE(holds(Is::not_worse, 0.06));
}

TEST(Conditions, AreEquivalentWithinTheMarginAlsoWhereADifferenceIsShown) {
  EXPECT_TRUE(holds(Is::equivalent, 0, 0, 0.018));
  EXPECT_FALSE(holds(Is::equivalent, 0, 0, 0.016));
  EXPECT_TRUE(holds(Is::equivalent, 0.03, 0, 0.05));
  EXPECT_FALSE(holds(Is::equivalent, 0.04, 0, 0.05));
  EXPECT_FALSE(holds(Is::equivalent, 0)) << "without a margin nothing is";
}

TEST(Conditions, ReadBackWhatTheyWroteAndRefuseAnotherName) {
  Condition condition{"collapse", "DAPO", "Base", "average pass@128", Is::worse, 0.05};
  EXPECT_EQ(condition_from_json(parse_json(to_json(condition).dump())), condition);
  Condition bytes{"alpha 0", "MEDS", "DAPO", "", Is::equal_bytes, 0};
  EXPECT_EQ(condition_from_json(parse_json(to_json(bytes).dump())), bytes);
  EXPECT_EQ(error_of([] { condition_is("equal"); }),
            "expected one of better, worse, equivalent, not_better, not_worse, equal_bytes, found equal");
}

}  // namespace
}  // namespace harness
