#include "harness/rollout/token_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace harness {
namespace {

constexpr int64_t kDraws = 20000;

// How often each token comes when the uniform runs over the middles of kDraws equal steps: the distribution, to one step.
std::vector<int64_t> counts(const std::vector<float>& logits, const SamplingSettings& settings) {
  std::vector<int64_t> count(logits.size());
  for (int64_t i = 0; i < kDraws; ++i) {
    const double u = (static_cast<double>(i) + 0.5) / kDraws;
    ++count[static_cast<size_t>(
        choose_token<float>(kernels::table_fp32(), logits.data(), static_cast<int64_t>(logits.size()), settings, u, false)
            .token)];
  }
  return count;
}

// exp(logit / temperature) of the tokens kept, normalised; the rest 0.
std::vector<double> distribution(const std::vector<float>& logits, double temperature, const std::vector<size_t>& kept) {
  std::vector<double> p(logits.size());
  double sum = 0;
  for (const size_t i : kept) sum += p[i] = std::exp(static_cast<double>(logits[i]) / temperature);
  for (double& x : p) x /= sum;
  return p;
}

void expect_distribution(const std::vector<float>& logits, const SamplingSettings& settings, const std::vector<size_t>& kept) {
  const auto count = counts(logits, settings);
  const auto expected = distribution(logits, settings.temperature, kept);
  for (size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(count[i]), expected[i] * kDraws, expected[i] == 0 ? 0.0 : 1.5) << "token " << i;
  }
}

const std::vector<float> kLogits = {0.5f, 2.0f, -1.0f, 1.0f, 2.0f, -30.0f};

TEST(TokenChoice, FollowsTheSoftmaxAtTheTemperature) {
  for (const double temperature : {0.5, 1.0, 1.7}) {
    SamplingSettings settings;
    settings.temperature = temperature;
    expect_distribution(kLogits, settings, {0, 1, 2, 3, 4, 5});
  }
}

TEST(TokenChoice, TopKKeepsTheLargestAndTheLowestIdAmongEquals) {
  SamplingSettings settings;
  settings.temperature = 0.9;
  settings.top_k = 1;
  expect_distribution(kLogits, settings, {1});
  settings.top_k = 3;
  expect_distribution(kLogits, settings, {1, 3, 4});
}

TEST(TokenChoice, TopPKeepsTheSmallestHeadThatReachesIt) {
  // exp: 1.65, 7.39, 0.37, 2.72, 7.39, 0: shares 0.378, 0.378, 0.139, 0.084, 0.019 in falling order.
  SamplingSettings settings;
  settings.top_p = 0.3;
  expect_distribution(kLogits, settings, {1});
  settings.top_p = 0.7;
  expect_distribution(kLogits, settings, {1, 4});
  settings.top_p = 0.8;
  expect_distribution(kLogits, settings, {1, 3, 4});
  settings.top_p = 0.97;
  expect_distribution(kLogits, settings, {0, 1, 3, 4});
}

TEST(TokenChoice, TopPCountsUnderWhatTopKLeft) {
  // Of the three that top-k leaves the shares are 0.422, 0.422, 0.155: two reach 0.84, but not under the whole distribution.
  SamplingSettings settings;
  settings.top_k = 3;
  settings.top_p = 0.84;
  expect_distribution(kLogits, settings, {1, 4});
}

TEST(TokenChoice, TopPCountsAtTheTemperature) {
  // At temperature 0.25 the two largest have all but 1 % of the probability.
  SamplingSettings settings;
  settings.temperature = 0.25;
  settings.top_p = 0.98;
  expect_distribution(kLogits, settings, {1, 4});
}

TEST(TokenChoice, ReportsLogProbAndEntropyOfTheWholeDistribution) {
  SamplingSettings settings;
  settings.temperature = 0.7;
  settings.top_k = 2;
  const auto p = distribution(kLogits, 0.7, {0, 1, 2, 3, 4, 5});
  const auto choice = choose_token<float>(kernels::table_fp32(), kLogits.data(), 6, settings, 0.9, false);
  EXPECT_EQ(choice.token, 4);
  EXPECT_NEAR(choice.log_prob, std::log(p[4]), 1e-5);
  double entropy = 0;
  for (const double x : p) entropy -= x > 0 ? x * std::log(x) : 0;
  EXPECT_NEAR(choice.entropy, entropy, 1e-5);
}

TEST(TokenChoice, GreedyTakesTheLowestIdOnATie) {
  SamplingSettings settings;
  settings.greedy = true;
  EXPECT_EQ(choose_token<float>(kernels::table_fp32(), kLogits.data(), 6, settings, 0.99, false).token, 1);
}

TEST(TokenChoice, LogitsThatAreNotNumbersGiveATokenOfTheVocabulary) {
  const std::vector<float> broken(6, std::nanf(""));
  for (const double top_p : {1.0, 0.5}) {
    for (const bool greedy : {false, true}) {
      SamplingSettings settings;
      settings.top_p = top_p;
      settings.greedy = greedy;
      const auto choice = choose_token<float>(kernels::table_fp32(), broken.data(), 6, settings, 0.5, false);
      EXPECT_GE(choice.token, 0);
      EXPECT_LT(choice.token, 6);
    }
  }
}

}  // namespace
}  // namespace harness
