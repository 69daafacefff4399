#include "harness/verdicts/claim.h"

#include <gtest/gtest.h>

#include <cmath>

namespace harness {
namespace {

TEST(Claim, OfOneRunEachIsMadeByChanceAsOftenAsTwoNormalDrawsDifferBySoMuch) {
  // Deviation 2.1 between seeds: two runs differ with 2.1 sqrt(2) = 2.97, P(|z| > 4.13 / 2.97 = 1.391) = .164.
  const ClaimCheck check = check_claim(0.0413, 1, {0.021, 0.0235, kUndefined});
  EXPECT_NEAR(check.by_chance, 0.164, 5e-4);
  EXPECT_NEAR(check.by_chance_common, 0.0788, 5e-4);  // z = 4.13 / 2.35 = 1.757
  EXPECT_TRUE(std::isnan(check.gain));
  // Four runs each: half the deviation.
  EXPECT_NEAR(check_claim(0.0413, 4, {0.021, 0.0235, kUndefined}).by_chance, 0.00541, 5e-5);  // z = 2.782
}

TEST(Claim, IsConfirmedByTheSeedsThatATTestNeeds) {
  // An effect of one deviation: ten pairs have power .803 and nine .755 (Cohen's tables; G*Power 3.1).
  EXPECT_EQ(check_claim(0.02, 1, {0.02, 0.02, kUndefined}).seeds, 10);
  EXPECT_EQ(check_claim(0.0001, 1, {0.02, 0.02, kUndefined}).seeds, 0);
}

TEST(Claim, IsShrunkByTheNoiseOfItsSeeds) {
  // Prior variance 2 and noise 2 * 1^2: half of the gain, posterior variance 1.
  const ClaimCheck check = check_claim(4, 1, {1, 1, std::sqrt(2.0)});
  EXPECT_NEAR(check.gain, 2, 1e-12);
  EXPECT_NEAR(check.high - check.gain, 1.959964, 1e-5);
  EXPECT_GT(check_claim(4, 10, {1, 1, std::sqrt(2.0)}).gain, 3.5);
}

}  // namespace
}  // namespace harness
