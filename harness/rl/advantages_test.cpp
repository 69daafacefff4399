#include "harness/rl/advantages.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

namespace harness {
namespace {

std::vector<double> normalised(const std::vector<double>& scores) {
  std::vector<double> advantages(scores.size());
  normalised_advantages(scores, advantages);
  return advantages;
}

TEST(GroupAdvantages, AreZeroWhenAllRewardsAreEqual) {
  // The mean of equal decimals is not always that decimal: the result must be 0 all the same.
  for (const double reward : {0.0, 1.0, 0.1, -0.3, 1.0 / 3}) {
    for (const double advantage : normalised(std::vector<double>(7, reward))) EXPECT_EQ(advantage, 0.0);
  }
}

TEST(GroupAdvantages, DivideByTheUnbiasedSpread) {
  const std::vector<double> advantages = normalised({1, 0, 0, 1});
  const double expected = 0.5 / (std::sqrt(1.0 / 3) + 1e-6);
  EXPECT_DOUBLE_EQ(advantages[0], expected);
  EXPECT_DOUBLE_EQ(advantages[1], -expected);
}

TEST(GroupAdvantages, OfAGroupOfOneAreItsScore) { EXPECT_DOUBLE_EQ(normalised({0.5})[0], 0.5 / (1 + 1e-6)); }

TEST(GroupAdvantages, OfAGroupSumToZero) {
  rc::check([] {
    const auto wholes = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 20)));
    RC_PRE(wholes.size() > 1);
    const std::vector<double> scores(wholes.begin(), wholes.end());
    double sum = 0;
    for (const double advantage : normalised(scores)) sum += advantage;
    RC_ASSERT(std::abs(sum) < 1e-9);
  });
}

TEST(GroupAdvantages, AreUnchangedByAddingAConstant) {
  rc::check([] {
    const auto wholes = *rc::gen::container<std::vector<int>>(8, rc::gen::inRange(-20, 20));
    const double constant = *rc::gen::inRange(-100, 100);
    std::vector<double> scores(wholes.begin(), wholes.end());
    const std::vector<double> before = normalised(scores);
    for (double& score : scores) score += constant;
    const std::vector<double> after = normalised(scores);
    for (size_t i = 0; i < scores.size(); ++i) RC_ASSERT(std::abs(before[i] - after[i]) < 1e-9);
  });
}

TEST(CentredAdvantages, KeepTheSpread) {
  std::vector<double> advantages(4);
  centred_advantages(std::vector<double>{1, 0, 0, 0}, advantages);
  EXPECT_DOUBLE_EQ(advantages[0], 0.75);
  EXPECT_DOUBLE_EQ(advantages[3], -0.25);
}

}  // namespace
}  // namespace harness
