// One property of each method that fails if its idea is missing.
#include <gtest/gtest.h>

#include <cmath>

#include "baselines/pass_k.h"
#include "baselines/testing.h"
#include "harness/core/error.h"
#include "harness/core/testing.h"

namespace baselines {
namespace {

using testing::Arm;
using testing::evaluate;
using testing::make_arm;
using testing::MiniBatch;
using testing::Outcome;
using testing::random_batch;

constexpr uint64_t kSeeds = 20;

bool is_correct(const MiniBatch& batch, int64_t row) { return batch.step.samples[static_cast<size_t>(row)].correct; }

TEST(DrGrpo, DividesByAConstantLengthAndNotByTheSpread) {
  const MiniBatch batch = random_batch(1, 4, 4, 6);
  Arm arm = make_arm({"dr_grpo"}, "grpo");
  const Outcome outcome = evaluate(arm, batch);
  for (size_t i = 0; i < 16; ++i) {
    double mean = 0;
    for (size_t j = i / 4 * 4; j < i / 4 * 4 + 4; ++j) mean += batch.step.samples[j].reward / 4;
    EXPECT_NEAR(outcome.group_advantages[i], batch.step.samples[i].reward - mean, 1e-15);
  }
  Arm longer = make_arm({"dr_grpo"}, "grpo", {"loss.kl_coef=0"}), twice = make_arm({"dr_grpo"}, "grpo", {"loss.kl_coef=0"});
  twice.settings.max_response_tokens *= 2;
  EXPECT_NEAR(evaluate(longer, batch).loss, 2 * evaluate(twice, batch).loss, 1e-15);
}

TEST(ClipHigher, LetsRiseWhatGrpoClips) {
  EXPECT_EQ(make_arm({"clip_higher"}, "grpo").settings.clip_high, 0.28);
  EXPECT_EQ(make_arm({"clip_higher"}, "grpo").settings.clip_low, 0.2);
}

// Gradient descent on a three-armed bandit without rewards: only the bonus acts.
double bandit_entropy_after(const std::string& method, const std::vector<std::string>& keys, int steps,
                            double* coefficient = nullptr) {
  Arm arm = make_arm({method}, "dapo", keys);
  torch::Tensor logits = torch::tensor({{2.0, 0.0, -1.0}}, torch::kDouble).requires_grad_(true);
  const auto entropy_of = [&] {
    const torch::Tensor log_probs = logits.log_softmax(1);
    return -(log_probs.exp() * log_probs).sum(1, true);  // [1, 1]
  };
  harness::TokenBatch batch;
  batch.mask = torch::ones({1, 1}, torch::kDouble);
  batch.advantages = torch::zeros({1, 1}, torch::kDouble);
  batch.row_keys = {1};
  for (int step = 0; step < steps; ++step) {
    const torch::Tensor entropy = entropy_of();
    const torch::Tensor log_probs = logits.log_softmax(1).slice(1, 0, 1);
    batch.sampling_entropies = entropy.detach();
    batch.old_log_probs = log_probs.detach();
    const harness::BatchLoss::Part part = harness::BatchLoss(arm.stack, arm.settings, batch).of_rows(0, 1, log_probs, entropy);
    (log_probs * part.by_log_probs + entropy * part.by_entropies).sum().backward();
    arm.stack.after_update({{"entropy", entropy.item<double>()}});
    const torch::NoGradGuard no_gradient;
    // A drift towards the best arm stands for the policy gradient.
    logits -= 0.1 * logits.grad() - 0.001 * torch::tensor({{1.0, 0.0, 0.0}}, torch::kDouble);
    logits.mutable_grad() = torch::Tensor();
  }
  harness::Metrics state;
  arm.stack.report_state(state);
  if (coefficient != nullptr) *coefficient = state["entropy_coefficient"];
  return entropy_of().item<double>();
}

TEST(EntropyBonus, RaisesEntropyOnABandit) {
  EXPECT_GT(bandit_entropy_after("entropy_bonus", {"method.beta=0.5"}, 200),
            bandit_entropy_after("entropy_bonus", {"method.beta=0"}, 200) + 0.3);
}

TEST(AdaptiveEntropy, SettlesAtItsTargetOnABandit) {
  double coefficient = 0;
  const double entropy = bandit_entropy_after(
      "adaptive_entropy", {"method.target=0.7", "method.delta=1e-4", "method.beta_max=0.5"}, 6000, &coefficient);
  EXPECT_NEAR(entropy, 0.7, 0.02);
  EXPECT_GT(coefficient, 0);
  EXPECT_LT(coefficient, 0.5);
}

TEST(AdaptiveEntropy, IsSilentAboveItsTargetAndKeepsItsCoefficientInACheckpoint) {
  Arm arm = make_arm({"adaptive_entropy"}, "dapo", {"method.target=0.01", "method.delta=0.001"});
  arm.stack.after_update({{"entropy", 0.0}});
  const Outcome outcome = evaluate(arm, random_batch(2, 2, 4, 5));
  EXPECT_EQ(outcome.entropy_gradient.abs().max().item<double>(), 0);

  const harness::ScratchFolder folder;
  arm.stack.save_state(folder.path(), "");
  Arm restored = make_arm({"adaptive_entropy"}, "dapo");
  restored.stack.load_state(folder.path());
  harness::Metrics metrics;
  restored.stack.report_state(metrics);
  EXPECT_EQ(metrics["entropy_coefficient"], 0.001);
}

TEST(EntropyAdvantage, AddsToUncertainTokensAndNeverFlipsASign) {
  Arm arm = make_arm({"entropy_advantage"}, "grpo");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const MiniBatch batch = random_batch(seed, 3, 4, 6);
    const Outcome outcome = evaluate(arm, batch);
    const torch::Tensor plain = torch::tensor(outcome.group_advantages, torch::kDouble).unsqueeze(1) * batch.tokens.mask;
    const torch::Tensor added = outcome.advantages - plain;
    EXPECT_TRUE(torch::allclose(added, torch::minimum(0.4 * batch.tokens.sampling_entropies, plain.abs() / 2)));
    EXPECT_TRUE(torch::equal(outcome.advantages.sign(), plain.sign()));
  }
}

TEST(ClipCov, DropsTheGradientOfChosenTokensThatQualify) {
  Arm arm = make_arm({"clip_cov"}, "dapo", {"method.ratio=0.1", "method.cov_low=0.0", "method.cov_high=5.0"});
  const MiniBatch batch = random_batch(4, 4, 4, 8);
  const Outcome outcome = evaluate(arm, batch);
  const auto tokens = batch.tokens.mask.sum().item<double>();
  EXPECT_EQ(outcome.selected.sum().item<double>(), std::floor(0.1 * tokens));
  EXPECT_EQ((outcome.gradient * outcome.selected).abs().max().item<double>(), 0);
  Arm base = make_arm({"dapo"}, "dapo", {"loss.clip_low=1", "loss.clip_high=1"});
  const Outcome plain = evaluate(base, batch);
  EXPECT_TRUE(torch::equal(outcome.gradient, plain.gradient * (1 - outcome.selected)));
  EXPECT_GT((plain.gradient * outcome.selected).abs().max().item<double>(), 0);
}

TEST(KlCov, PenalisesOnlyTheTopCovariancesAndNeverClips) {
  Arm arm = make_arm({"kl_cov"}, "dapo", {"method.fraction=0.1", "method.beta=3"});
  Arm without = make_arm({"kl_cov"}, "dapo", {"method.fraction=0.1", "method.beta=0"});
  const MiniBatch batch = random_batch(5, 4, 4, 8);
  const Outcome outcome = evaluate(arm, batch), plain = evaluate(without, batch);
  const double tokens = batch.tokens.mask.sum().item<double>();
  const torch::Tensor penalty =
      3 * (batch.tokens.current_log_probs - batch.tokens.old_log_probs).sign() * outcome.selected / tokens;
  EXPECT_TRUE(torch::allclose(outcome.gradient - plain.gradient, penalty));
  EXPECT_EQ(outcome.selected.sum().item<double>(), std::floor(0.1 * tokens));
  const torch::Tensor ratio = (batch.tokens.current_log_probs - batch.tokens.old_log_probs).exp();
  EXPECT_TRUE(torch::allclose(plain.gradient, -plain.advantages * ratio * batch.tokens.mask / tokens));
}

TEST(TopEntropy, LeavesExactlyTheTopShare) {
  Arm arm = make_arm({"top_entropy"}, "dapo");
  Arm base = make_arm({"dapo"}, "dapo");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const MiniBatch batch = random_batch(seed, 4, 4, 8);
    const Outcome outcome = evaluate(arm, batch), plain = evaluate(base, batch);
    const torch::Tensor chosen = outcome.selected.ne(0);
    EXPECT_EQ(chosen.sum().item<double>(), std::ceil(0.2 * batch.tokens.mask.sum().item<double>() - 1e-4));
    const torch::Tensor rest = batch.tokens.mask.ne(0).logical_and(chosen.logical_not());
    EXPECT_GE(batch.tokens.current_entropies.masked_select(chosen).min().item<double>(),
              batch.tokens.current_entropies.masked_select(rest).max().item<double>());
    EXPECT_TRUE(torch::equal(outcome.gradient, plain.gradient * outcome.selected));  // the denominator stays
  }
}

TEST(Nsr, HasNoGradientOnRightAnswersAndPsrNoneOnWrongOnes) {
  const MiniBatch batch = random_batch(6, 4, 4, 6);
  Arm nsr = make_arm({"nsr"}, "dapo"), psr = make_arm({"psr"}, "dapo"), weighted = make_arm({"w_reinforce"}, "dapo");
  const Outcome negative = evaluate(nsr, batch), positive = evaluate(psr, batch), both = evaluate(weighted, batch);
  for (int64_t row = 0; row < 16; ++row) {
    const Outcome& silent = is_correct(batch, row) ? negative : positive;
    const Outcome& loud = is_correct(batch, row) ? positive : negative;
    EXPECT_EQ(silent.gradient[row].abs().max().item<double>(), 0);
    EXPECT_EQ(std::abs(loud.group_advantages[static_cast<size_t>(row)]), 1);
  }
  EXPECT_TRUE(torch::allclose(both.gradient, negative.gradient + 0.1 * positive.gradient));
}

TEST(PassKTraining, SumsToZeroOverAGroupAndFavoursRightAnswersOfHardProblems) {
  Arm arm = make_arm({"pass_k_training"}, "dapo", {"method.k=3"});
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Outcome outcome = evaluate(arm, random_batch(seed, 3, 8, 4));
    for (size_t group = 0; group < 3; ++group) {
      double sum = 0;
      for (size_t i = 0; i < 8; ++i) sum += outcome.group_advantages[group * 8 + i];
      EXPECT_NEAR(sum, 0, 1e-12);
    }
  }
  MiniBatch batch = random_batch(1, 2, 8, 4);
  for (size_t i = 0; i < 16; ++i) {
    batch.step.samples[i].correct = i == 0 || (i >= 8 && i < 13);  // one right of 8; five right of 8
    batch.step.samples[i].reward = batch.step.samples[i].correct ? 1 : 0;
  }
  const Outcome outcome = evaluate(arm, batch);
  EXPECT_GT(outcome.group_advantages[0], 5 * outcome.group_advantages[8]);
}

TEST(PassKTraining, IsZeroWithoutSpreadAndRefusesASmallGroup) {
  Arm arm = make_arm({"pass_k_training"}, "dapo", {"method.k=3"});
  MiniBatch batch = random_batch(1, 1, 4, 4);
  for (size_t i = 0; i < 4; ++i) batch.step.samples[i].correct = i < 2;  // 2 wrong < k: every group of 3 passes
  for (const double advantage : evaluate(arm, batch).group_advantages) EXPECT_EQ(advantage, 0);
  Arm large = make_arm({"pass_k_training"}, "dapo", {"method.k=5"});
  EXPECT_THROW((void)evaluate(large, batch), harness::Error);
}

TEST(ChanceOfMissing, EqualsCountingSubsets) {
  for (int n = 1; n <= 8; ++n) {
    for (int c = 0; c <= n; ++c) {
      for (int k = 0; k <= n; ++k) {
        int draws = 0, missing = 0;
        for (unsigned set = 0; set < (1U << n); ++set) {
          if (__builtin_popcount(set) != k) continue;
          ++draws;
          missing += (set & ((1U << c) - 1)) == 0 ? 1 : 0;
        }
        EXPECT_NEAR(chance_of_missing(n, c, k), static_cast<double>(missing) / draws, 1e-12);
      }
    }
  }
}

TEST(Pkpo, RewardsSumToKTimesPassAtK) {
  Arm arm = make_arm({"pkpo"}, "dapo", {"method.k=2"});
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const MiniBatch batch = random_batch(seed, 1, 6, 3);
    std::vector<double> scores(6, 0.0);
    harness::Metrics metrics;
    arm.stack.shape_rewards(batch.step, scores, metrics);
    const int64_t right = count_right(batch.step.samples);
    double sum = 0;
    for (const double score : scores) sum += score;
    // Each draw of k holds k responses, and each is credited with the draw's pass: sum = k * pass@k.
    EXPECT_NEAR(sum, 2 * (1 - chance_of_missing(6, right, 2)), 1e-12);
  }
}

TEST(Unlikeliness, OrdersRightAnswersByRank) {
  Arm arm = make_arm({"unlikeliness"}, "dapo");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const MiniBatch batch = random_batch(seed, 1, 8, 3);
    const std::vector<double> advantages = evaluate(arm, batch).group_advantages;
    for (size_t i = 0; i < 8; ++i) {
      for (size_t j = 0; j < 8; ++j) {
        const auto& a = batch.step.samples[i];
        const auto& b = batch.step.samples[j];
        const bool above = a.correct && (!b.correct || a.mean_log_prob < b.mean_log_prob);
        EXPECT_TRUE(!above || advantages[i] > advantages[j]);
      }
    }
  }
}

TEST(Uniqueness, WeighsRightAnswersOfACommonStrategyLess) {
  MiniBatch batch = random_batch(1, 1, 8, 3);
  for (size_t i = 0; i < 8; ++i) {
    auto& sample = batch.step.samples[i];
    sample.correct = i < 6;
    sample.reward = sample.correct ? 1 : 0;
    const auto offset = static_cast<float>(i) * 0.001F;
    if (i < 3) sample.fingerprint = {1, offset, 0};             // a strategy of three
    if (i == 3 || i == 4) sample.fingerprint = {0, 1, offset};  // one of two
    if (i == 5) sample.fingerprint = {-1, -1, 0};               // one alone, the farthest
  }
  Arm plain = make_arm({"dapo"}, "dapo"), unique = make_arm({"uniqueness"}, "dapo");
  const auto before = evaluate(plain, batch).group_advantages, after = evaluate(unique, batch).group_advantages;
  const std::vector<double> sizes = {3, 3, 3, 2, 2, 1, 1, 1};
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(after[i], before[i] / sizes[i], 1e-12) << i;
  for (size_t i = 0; i < 6; ++i) batch.step.samples[i].fingerprint = {1, 2, 3};  // collapsed to one: all noise, yet no rarity
  EXPECT_NEAR(evaluate(unique, batch).group_advantages[0], before[0] / 6, 1e-12);
}

TEST(OutcomeExploration, BonusFallsWithTheTimesAnAnswerWasGiven) {
  Arm arm = make_arm({"outcome_exploration"}, "dapo");
  MiniBatch batch = random_batch(1, 1, 4, 3);
  for (size_t i = 0; i < 4; ++i) {
    batch.step.samples[i].reward = 0;
    batch.step.samples[i].answer = i < 3 ? "7" : "8";
  }
  batch.step.samples[2].has_answer = false;
  harness::Metrics metrics;
  std::vector<double> first(4, 0.0), second(4, 0.0);
  arm.stack.shape_rewards(batch.step, first, metrics);
  arm.stack.shape_rewards(batch.step, second, metrics);
  EXPECT_NEAR(first[0], 0.2 * (1 - 0.5), 1e-15);
  EXPECT_NEAR(first[2], 0.2 * (0 - 0.5), 1e-15);
  EXPECT_NEAR(second[0], 0.2 * (1 / std::sqrt(2.0) - 0.5), 1e-15);
  EXPECT_NEAR(second[3], 0.2 * (1 - 0.5), 1e-15);
}

TEST(OutcomeExploration, CountsOutliveACheckpoint) {
  const harness::ScratchFolder folder;
  Arm arm = make_arm({"outcome_exploration"}, "dapo");
  const MiniBatch batch = random_batch(3, 3, 6, 3);
  (void)evaluate(arm, batch);
  arm.stack.save_state(folder.path(), "");
  Arm restored = make_arm({"outcome_exploration"}, "dapo");
  restored.stack.load_state(folder.path());
  EXPECT_EQ(evaluate(restored, batch).group_advantages, evaluate(arm, batch).group_advantages);
}

TEST(MaxRl, WeighsARightAnswerByTheInverseOfTheSuccessRate) {
  MiniBatch batch = random_batch(1, 2, 4, 3);
  for (size_t i = 0; i < 8; ++i) batch.step.samples[i].reward = i == 0 || (i >= 4 && i < 6) ? 1 : 0;
  Arm arm = make_arm({"maxrl"}, "dapo");
  const auto advantages = evaluate(arm, batch).group_advantages;
  EXPECT_NEAR(advantages[0], 0.75 / 0.25, 1e-12);
  EXPECT_NEAR(advantages[4], 0.5 / 0.5, 1e-12);
  EXPECT_NEAR(advantages[1], -1, 1e-12);
}

TEST(Gspo, ClipsWholeResponsesByTheGeometricMeanRatio) {
  Arm arm = make_arm({"gspo"}, "grpo", {"loss.kl_coef=0"});
  const MiniBatch batch = random_batch(8, 4, 4, 6);
  const Outcome outcome = evaluate(arm, batch);
  const torch::Tensor& mask = batch.tokens.mask;
  const torch::Tensor mean = ((batch.tokens.current_log_probs - batch.tokens.old_log_probs) * mask).sum(1) / mask.sum(1);
  for (int64_t row = 0; row < 16; ++row) {
    const double advantage = outcome.group_advantages[static_cast<size_t>(row)];
    const double ratio = std::exp(mean[row].item<double>());
    const bool clipped = advantage > 0 ? ratio > 1 + 4e-4 : ratio < 1 - 3e-4;
    const double length = mask[row].sum().item<double>();
    const double expected = clipped ? 0 : -advantage * ratio / length / 16;
    for (int64_t t = 0; t < static_cast<int64_t>(length); ++t) {
      EXPECT_NEAR(outcome.gradient[row][t].item<double>(), expected, 1e-15);
    }
  }
}

TEST(Cispo, KeepsTheGradientOfTokensThatPpoClips) {
  Arm arm = make_arm({"cispo"}, "dapo", {"method.high=1.5"});
  const MiniBatch batch = random_batch(8, 4, 4, 6);
  const Outcome outcome = evaluate(arm, batch);
  const torch::Tensor ratio = (batch.tokens.current_log_probs - batch.tokens.old_log_probs).exp();
  EXPECT_GT((ratio > 1.5).sum().item<int64_t>(), 0);
  const torch::Tensor expected = -ratio.clamp_max(1.5) * outcome.advantages * batch.tokens.mask / batch.tokens.mask.sum();
  EXPECT_TRUE(torch::allclose(outcome.gradient, expected));
}

TEST(Temperature, ChangesSamplingAndNothingElse) {
  Arm arm = make_arm({"temperature"}, "dapo"), base = make_arm({"dapo"}, "dapo");
  harness::SamplingSettings settings;
  arm.stack.adjust_sampling(settings);
  EXPECT_EQ(settings.temperature, 1.2);
  EXPECT_EQ(settings.top_p, 1.0);
  const MiniBatch batch = random_batch(8, 4, 4, 6);
  EXPECT_TRUE(torch::equal(evaluate(arm, batch).gradient, evaluate(base, batch).gradient));
}

}  // namespace
}  // namespace baselines
