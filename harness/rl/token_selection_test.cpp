#include "harness/rl/token_selection.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/padding.h>
#include <torch/types.h>

namespace harness {
namespace {

const std::vector<uint64_t> kKeys = {11, 22, 33};

TEST(LargestTokens, AreTakenFromTheWholeMiniBatchAndOnlyWhereEligible) {
  const torch::Tensor values = torch::tensor({{1.0, 9.0, 3.0}, {8.0, 2.0, 7.0}, {0.0, 5.0, 6.0}}, torch::kDouble);
  const torch::Tensor eligible = torch::tensor({{1.0, 0.0, 1.0}, {1.0, 1.0, 1.0}, {1.0, 1.0, 1.0}}, torch::kDouble);
  const torch::Tensor selected = select_largest(values, eligible, 3, kKeys);
  const torch::Tensor expected = torch::tensor({{0.0, 0.0, 0.0}, {1.0, 0.0, 1.0}, {0.0, 0.0, 1.0}}, torch::kDouble);
  EXPECT_TRUE(torch::equal(selected, expected));
}

TEST(LargestTokens, TiesGoToTheSmallerRowKeyWhateverTheOrderOfTheRows) {
  const torch::Tensor values = torch::zeros({3, 2}, torch::kDouble);
  const torch::Tensor eligible = torch::ones({3, 2}, torch::kDouble);
  const torch::Tensor forward = select_largest(values, eligible, 3, {5, 1, 9});
  const torch::Tensor backward = select_largest(values, eligible, 3, {9, 1, 5}).flip(0);
  EXPECT_TRUE(torch::equal(forward, backward));
  EXPECT_EQ(forward[1].sum().item<double>(), 2);
  EXPECT_EQ(forward[0][0].item<double>(), 1);
}

TEST(RandomTokens, FollowTheirRowsWhenRowsArePermutedOrPadded) {
  const torch::Tensor eligible = torch::ones({3, 40}, torch::kDouble);
  const torch::Tensor selected = select_random(eligible, 10, {1, 2, 3}, "test", 4);
  EXPECT_EQ(selected.sum().item<double>(), 10);
  const torch::Tensor permuted = select_random(eligible, 10, {3, 1, 2}, "test", 4);
  EXPECT_TRUE(torch::equal(selected[0], permuted[1]));
  EXPECT_TRUE(torch::equal(selected[2], permuted[0]));
  const torch::Tensor padded = select_random(
      torch::nn::functional::pad(eligible, torch::nn::functional::PadFuncOptions({0, 5})), 10, {1, 2, 3}, "test", 4);
  EXPECT_TRUE(torch::equal(padded.slice(1, 0, 40), selected));
}

TEST(RandomTokens, DifferBetweenUpdates) {
  const torch::Tensor eligible = torch::ones({3, 40}, torch::kDouble);
  EXPECT_FALSE(torch::equal(select_random(eligible, 10, kKeys, "test", 0), select_random(eligible, 10, kKeys, "test", 1)));
}

TEST(RandomTokens, AreUniform) {
  // 4000 updates, 2 of 10 tokens each: a token's count is binomial(4000, 0.2), standard deviation 25.3; a bound of 8 of them is
  // exceeded with probability below 1e-13 for ten tokens. The seed is fixed by the keys.
  torch::Tensor counts = torch::zeros({2, 5}, torch::kDouble);
  const torch::Tensor eligible = torch::ones({2, 5}, torch::kDouble);
  for (int64_t update = 0; update < 4000; ++update) counts += select_random(eligible, 2, {7, 8}, "test", update);
  EXPECT_LT((counts - 800).abs().max().item<double>(), 8 * 25.3);
}

TEST(RandomTokens, AreAllWhereFewerAreEligible) {
  const torch::Tensor eligible = torch::tensor({{1.0, 0.0, 1.0}}, torch::kDouble);
  EXPECT_TRUE(torch::equal(select_random(eligible, 5, {1}, "test", 0), eligible));
}

TEST(TokenShare, TakesAtLeastOneTokenWhereItIsAboveZero) {
  EXPECT_EQ(share_rounded_down(2e-4, 100), 1);
  EXPECT_EQ(share_rounded_down(0, 100), 0);
  EXPECT_EQ(share_rounded_down(0.2, 24), 4);
  EXPECT_EQ(share_rounded_up(0.2, 24), 5);
  EXPECT_EQ(share_rounded_up(0.2, 25), 5);
}

TEST(TokenCovariance, UsesMeansOverTheMaskAlone) {
  const torch::Tensor mask = torch::tensor({{1.0, 1.0, 0.0}}, torch::kDouble);
  const torch::Tensor advantages = torch::tensor({{1.0, -1.0, 50.0}}, torch::kDouble);
  const torch::Tensor log_probs = torch::tensor({{-1.0, -3.0, -99.0}}, torch::kDouble);
  const torch::Tensor expected = torch::tensor({{1.0, 1.0, 0.0}}, torch::kDouble);
  EXPECT_TRUE(torch::allclose(token_covariance(advantages, log_probs, mask), expected));
}

}  // namespace
}  // namespace harness
