// One property of each rival of 2025 and 2026, and of the controls, that fails if its idea is missing; what stands beside what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "baselines/pass_k.h"
#include "baselines/testing.h"
#include "harness/core/testing.h"

namespace baselines {
namespace {

using testing::Arm;
using testing::evaluate;
using ::testing::HasSubstr;
using testing::make_arm;
using testing::MiniBatch;
using testing::Outcome;
using testing::random_batch;

constexpr uint64_t kTries = 20;

// One group, right and wrong as the answers say ("r..." is right), rewards 1 and 0.
MiniBatch group_of(const std::vector<std::string>& answers) {
  MiniBatch batch = random_batch(1, 1, static_cast<int64_t>(answers.size()), 3);
  for (size_t i = 0; i < answers.size(); ++i) {
    harness::Sample& sample = batch.step.samples[i];
    sample.answer = answers[i];
    sample.has_answer = !answers[i].empty();
    sample.correct = answers[i].starts_with("r");
    sample.reward = sample.correct ? 1 : 0;
  }
  return batch;
}

std::vector<double> advantages_of(const std::vector<std::string>& methods, const MiniBatch& batch,
                                  const std::vector<std::string>& keys = {}) {
  Arm arm = make_arm(methods, "dapo", keys);
  return evaluate(arm, batch).group_advantages;
}

std::vector<double> scores_of(const std::string& method, const MiniBatch& batch, const std::vector<std::string>& keys = {}) {
  Arm arm = make_arm({method}, "dapo", keys);
  harness::Metrics metrics;
  return harness::shape_rewards(arm.stack, batch.step, metrics).scores;
}

TEST(Edas, PunishesRepeatedErrorsAndSparesRareOnes) {
  const MiniBatch batch = group_of({"r", "r", "r", "b", "b", "b", "c", ""});
  const auto before = advantages_of({"dapo"}, batch), after = advantages_of({"edas"}, batch);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(after[i], before[i]);
  for (size_t i = 3; i < 6; ++i) EXPECT_LT(after[i], before[i]);
  for (size_t i = 6; i < 8; ++i) EXPECT_GT(after[i], before[i]);
  for (size_t i = 3; i < 8; ++i) EXPECT_LE(std::abs(after[i] - before[i]), std::abs(before[i]) / 2 + 1e-15);
}

TEST(Edas, PunishesAGroupWithOneErrorOnlyAndLeavesASingleWrongResponseAlone) {
  const MiniBatch one_error = group_of({"r", "r", "b", "b"}), one_wrong = group_of({"r", "r", "r", "b"});
  const auto before = advantages_of({"dapo"}, one_error), after = advantages_of({"edas"}, one_error);
  EXPECT_NEAR(after[2], before[2] - 0.2 * before[0], 1e-15);
  EXPECT_EQ(advantages_of({"edas"}, one_wrong), advantages_of({"dapo"}, one_wrong));
}

TEST(Edas, StandsOnWhateverAdvantageTheGroupHas) {
  const MiniBatch batch = group_of({"r", "r", "b", "b", "c", "d"});
  const auto centred = advantages_of({"dr_grpo"}, batch), shaped = advantages_of({"dr_grpo", "edas"}, batch);
  double spread = 0;
  for (const double advantage : centred) spread += std::abs(advantage) / 6;
  const double entropy = std::log(4) - 0.5 * std::log(2);
  EXPECT_NEAR(shaped[4], centred[4] + 0.4 * spread * (std::log(4) - entropy) / std::log(4), 1e-15);
}

TEST(FGrpo, CountsAGroupByItsWrongResponses) {
  for (uint64_t seed = 0; seed < kTries; ++seed) {
    const MiniBatch batch = random_batch(seed, 1, 8, 3);
    const double wrong = 1 - static_cast<double>(count_right(batch.step.samples)) / 8;
    const auto before = advantages_of({"pkpo"}, batch), after = advantages_of({"pkpo", "f_grpo"}, batch);
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(after[i], before[i] * std::sqrt(wrong), 1e-15);
  }
}

TEST(Ucpo, SharesTheAdvantageOfRightResponsesOutToTheUnlikely) {
  for (uint64_t seed = 0; seed < kTries; ++seed) {
    const MiniBatch batch = random_batch(seed, 1, 8, 3);
    const auto before = advantages_of({"dapo"}, batch), after = advantages_of({"ucpo"}, batch, {"method.tau=0.9"});
    double kept = 0;
    for (size_t i = 0; i < 8; ++i) {
      const auto& a = batch.step.samples[i];
      if (!a.correct) {
        EXPECT_EQ(after[i], before[i]);
        continue;
      }
      kept += after[i] - before[i];
      for (size_t j = 0; j < 8; ++j) {
        const auto& b = batch.step.samples[j];
        EXPECT_TRUE(!b.correct || before[i] <= 0 || a.mean_log_prob >= b.mean_log_prob || after[i] > after[j]);
      }
    }
    EXPECT_NEAR(kept, 0, 1e-12);
  }
}

TEST(Steer, WeighsTheTokenThatChangesTheEntropyMostLeastInTheWholeMiniBatch) {
  const MiniBatch batch = random_batch(4, 3, 4, 6);
  Arm arm = make_arm({"steer"}, "grpo", {"method.lambda_min=0.5", "loss.clip_low=1", "loss.clip_high=100"});
  const Outcome outcome = evaluate(arm, batch);
  const torch::Tensor plain = torch::tensor(outcome.group_advantages, torch::kDouble).unsqueeze(1) * batch.tokens.mask;
  const torch::Tensor weights = torch::where(plain == 0, torch::ones_like(plain), outcome.advantages / plain);
  const torch::Tensor l = batch.tokens.current_log_probs, p = l.exp();
  const torch::Tensor change =
      ((l - batch.tokens.old_log_probs).exp() * plain * p * (1 - p) * (l + batch.tokens.current_entropies)).abs();
  EXPECT_NEAR(weights.min().item<double>(), 0.5, 1e-12);
  EXPECT_EQ(weights.argmin().item<int64_t>(), change.argmax().item<int64_t>());
  EXPECT_LE(weights.max().item<double>(), 1 + 1e-12);
}

TEST(Steer, CountsAClippedTokenForNothing) {
  MiniBatch batch = random_batch(4, 1, 4, 3);
  for (size_t i = 0; i < 4; ++i) batch.step.samples[i].reward = i == 0 ? 1 : 0;
  batch.tokens.old_log_probs[0][0] = batch.tokens.current_log_probs[0][0] - 3.0;
  Arm arm = make_arm({"steer"}, "grpo");
  const Outcome outcome = evaluate(arm, batch);
  EXPECT_EQ(outcome.advantages[0][0].item<double>(), outcome.group_advantages[0]);
}

TEST(RandomReward, KnowsHowManyAreRightAndNotWhich) {
  MiniBatch batch = random_batch(1, 400, 10, 3);
  for (size_t i = 0; i < 4000; ++i) {
    batch.step.samples[i].correct = i % 10 < 3;
    batch.step.samples[i].reward = i % 10 < 3 ? 0.75 : -0.25;  // overlong: 0.25
  }
  MiniBatch other = batch;
  for (size_t i = 0; i < 4000; ++i) {
    other.step.samples[i].correct = i % 10 >= 7;
    other.step.samples[i].reward = i % 10 >= 7 ? 0.75 : -0.25;
  }
  const auto scores = scores_of("random_reward", batch);
  EXPECT_EQ(scores, scores_of("random_reward", other));
  double right = 0;
  for (const double score : scores) right += (score + 0.25) / 4000;
  EXPECT_NEAR(right, 0.3, 0.05);  // 6.9 standard deviations: false alarm below 1e-11
}

TEST(FormatReward, RewardsAnyAnswerAndNothingElse) {
  EXPECT_EQ(scores_of("format_reward", group_of({"r", "b", "", "c"})), (std::vector<double>{1, 1, 0, 1}));
}

std::string objection_to(const std::vector<std::string>& names) {
  return harness::error_of([&] { (void)make_arm(names, "dapo"); });
}

TEST(Controls, RefuseMethodsThatWouldLetTheTruthIn) {
  EXPECT_THAT(objection_to({"random_reward", "edas"}), AllOf(HasSubstr("nothing of right and wrong"), HasSubstr("edas")));
  EXPECT_THAT(objection_to({"format_reward", "unlikeliness"}), HasSubstr("unlikeliness"));
  EXPECT_THAT(objection_to({"random_reward", "nsr"}), HasSubstr("right and wrong alone"));
  EXPECT_EQ(objection_to({"random_reward", "dr_grpo", "entropy_bonus"}), "");
}

TEST(Rivals, StandBesideOthersOrSayWhyNot) {
  EXPECT_EQ(objection_to({"pkpo", "f_grpo", "edas", "ucpo", "bbg", "steer", "lp_reg"}), "");
  EXPECT_EQ(objection_to({"darling", "maxrl", "cue_grpo", "differential_smoothing", "simko"}), "");
  EXPECT_THAT(objection_to({"qae", "risk_sensitive"}), HasSubstr("group advantage"));
  EXPECT_THAT(objection_to({"simko", "top_entropy"}), HasSubstr("token selection"));
  EXPECT_THAT(objection_to({"darling", "pkpo"}), HasSubstr("first"));
  EXPECT_THAT(objection_to({"repexp", "nsr"}), HasSubstr("right and wrong alone"));
}

TEST(Qae, LetsRightResponsesLearnWhereTheyAreRareAndWrongOnesWhereTheyAre) {
  const auto hard = advantages_of({"qae"}, group_of({"r", "b", "b", "b", "b"}));
  const auto easy = advantages_of({"qae"}, group_of({"r", "r", "r", "r", "b"}));
  EXPECT_GT(hard[0], 0);
  EXPECT_EQ(hard[1], 0);
  EXPECT_EQ(easy[0], 0);
  EXPECT_LT(easy[4], 0);
  EXPECT_NEAR(advantages_of({"qae"}, group_of({"r", "r", "r", "b", "b"}))[0], 1 / (std::sqrt(0.3) + 1e-6), 1e-12);
}

TEST(DifferentialSmoothing, FavoursUnlikelyRightResponsesAndShunsUnlikelyWrongOnes) {
  MiniBatch batch = group_of({"r", "r", "b", "b"});
  for (size_t i = 0; i < 4; ++i) {
    batch.step.samples[i].mean_log_prob = -0.5;
    batch.step.samples[i].tokens = i % 2 == 0 ? 2 : 8;  // the longer is the less likely as a whole
  }
  const auto before = advantages_of({"dapo"}, batch), after = advantages_of({"differential_smoothing"}, batch);
  const std::vector<double> change = {0.01, 0.04, -0.01, -0.04};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(after[i], before[i] + change[i], 1e-15);
}

TEST(Darling, MultipliesTheRewardOfACommonAnswerDown) {
  const auto scores = scores_of("darling", group_of({"r1", "r1", "r1", "r2", "b"}), {"method.partition=\"answer\""});
  EXPECT_EQ(scores, (std::vector<double>{0.5, 0.5, 0.5, 1, 0}));
  EXPECT_EQ(scores_of("darling", group_of({"r", "r", "r"}), {"method.partition=\"answer\""}), std::vector<double>(3, 0.1));
}

TEST(SimKo, HandsAShareOfTheGradientToTheLikelyTokensAndKeepsTheLoss) {
  const MiniBatch batch = random_batch(6, 4, 4, 7);
  Arm base = make_arm({"dapo"}, "dapo"), arm = make_arm({"simko"}, "dapo", {"method.a=0.3", "method.boost=1"});
  const Outcome plain = evaluate(base, batch), mixed = evaluate(arm, batch);
  EXPECT_DOUBLE_EQ(mixed.loss, plain.loss);
  EXPECT_TRUE(torch::allclose(mixed.gradient + mixed.top_gradient.sum(2), plain.gradient, 1e-12, 1e-15));
  const torch::Tensor shared = mixed.selected * (mixed.advantages > 0).to(torch::kDouble);
  EXPECT_GT(mixed.top_gradient.abs().sum().item<double>(), 0);
  EXPECT_TRUE(torch::allclose(mixed.gradient, plain.gradient * (1 - 0.3 * shared), 1e-12, 1e-15));
  EXPECT_EQ(mixed.top_gradient.slice(2, 3).abs().sum().item<double>(), 0);
}

TEST(SimKo, PunishesWrongTokensMoreWhereTheyAreTheLikeliest) {
  const MiniBatch batch = random_batch(6, 4, 4, 7);
  Arm arm = make_arm({"simko"}, "dapo");
  const Outcome outcome = evaluate(arm, batch);
  const torch::Tensor plain = torch::tensor(outcome.group_advantages, torch::kDouble).unsqueeze(1) * batch.tokens.mask;
  const torch::Tensor boosted = outcome.selected * batch.tokens.most_likely * (plain < 0).to(torch::kDouble);
  EXPECT_GT(boosted.sum().item<double>(), 0);
  EXPECT_TRUE(torch::allclose(outcome.advantages, plain * (1 + 0.1 * boosted)));
}

TEST(LpReg, HoldsUpUnlikelyTokensOfWrongResponsesThatAreNoNoise) {
  const MiniBatch batch = random_batch(6, 4, 4, 7);
  for (const std::string estimator : {"k3", "full"}) {
    const std::vector<std::string> keys = {"method.tau=0.25", "method.share=0.6", "method.estimator=\"" + estimator + "\""};
    Arm base = make_arm({"dapo"}, "dapo"), arm = make_arm({"lp_reg"}, "dapo", keys);
    const Outcome plain = evaluate(base, batch), kept = evaluate(arm, batch);
    const torch::Tensor& old = batch.tokens.old_log_probs;
    const torch::Tensor falling = (plain.advantages < 0).logical_and(batch.tokens.mask > 0);
    const torch::Tensor changed = estimator == "k3" ? kept.gradient != plain.gradient : kept.top_gradient.abs().sum(2) > 0;
    EXPECT_GT(changed.sum().item<int64_t>(), 0);
    EXPECT_EQ(changed.logical_and(falling.logical_not()).sum().item<int64_t>(), 0);
    EXPECT_EQ(changed.logical_and(old < std::log(0.25)).sum().item<int64_t>(), 0);
    const double highest = old.index({changed}).max().item<double>();
    EXPECT_LE((falling.logical_and(old < highest)).sum().item<double>(), 0.6 * falling.sum().item<double>());
    EXPECT_GT(kept.loss, plain.loss);
  }
}

TEST(Bbg, CountsAGroupLessTheOftenerItIsSolvedAndTrainsOnUnsolvedOnes) {
  std::vector<double> weights;
  for (int right = 0; right <= 7; ++right) {
    std::vector<std::string> answers(8, "b");
    std::fill_n(answers.begin(), right, "r");
    const MiniBatch batch = group_of(answers);
    const auto before = advantages_of({"dapo"}, batch), after = advantages_of({"bbg"}, batch, {"method.k=4"});
    weights.push_back(right == 0 ? -after[0] : after[0] / before[0]);
  }
  // k (8 - c + 1)(8 - c + 2)(8 - c + 3) / (10 * 11 * 12) over that of c = 1; gated below 0.01 * 9
  const auto gain = [](double c) { return 4 * (9 - c) * (10 - c) * (11 - c) / 1320; };
  for (int right = 0; right <= 7; ++right) {
    EXPECT_NEAR(weights[static_cast<size_t>(right)], gain(right) < 0.09 ? 0 : gain(right) / gain(1), 1e-12) << right;
  }
  EXPECT_EQ(weights[7], 0);
  EXPECT_EQ(make_arm({"bbg"}, "dapo").stack.methods().size(), 1U);
}

TEST(CueGrpo, GivesRareRightAnswersTheAdvantageOfCommonOnes) {
  const MiniBatch batch = group_of({"r1", "r1", "r1", "r2", "b", "b", "c", "d"});
  const auto before = advantages_of({"dapo"}, batch);
  const auto after = advantages_of({"cue_grpo"}, batch, {"method.partition=\"answer\""});
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(after[i], before[i] * 4 * (1.0 / 3) / 2, 1e-12);
  EXPECT_NEAR(after[3], before[3] * 2, 1e-12);
  for (size_t i = 4; i < 8; ++i) EXPECT_EQ(after[i], before[i]);
}

TEST(RepExp, PaysForRepresentationsThatTheGroupLacks) {
  MiniBatch batch = group_of({"b", "b", "b", "b"});
  for (size_t i = 0; i < 4; ++i)
    batch.step.samples[i].mean_readout = i < 3 ? std::vector<float>{2, 0} : std::vector<float>{0, 2};
  const auto scores = scores_of("repexp", batch, {"method.c=0.5", "method.lambda=2"});
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(scores[i], 0.5 * 4 / (2 + 12.0), 1e-12);
  EXPECT_NEAR(scores[3], 0.5 * 4 / (2 + 4.0), 1e-12);
}

TEST(RiskSensitive, SeeksRareSuccessesAndIsTheCentredAdvantageWithoutRisk) {
  const MiniBatch rare = group_of({"r", "b", "b", "b"}), common = group_of({"r", "r", "r", "b"});
  const auto seeking = [&](const MiniBatch& batch) { return advantages_of({"risk_sensitive"}, batch); };
  EXPECT_NEAR(seeking(rare)[0], (std::exp(2) / ((std::exp(2) + 3) / 4) - 1) / 2, 1e-12);
  EXPECT_GT(seeking(rare)[0], 0.75);
  EXPECT_LT(seeking(common)[0], 0.25);
  EXPECT_EQ(advantages_of({"risk_sensitive"}, rare, {"method.beta=0"}), advantages_of({"dr_grpo"}, rare));
}

TEST(DphRl, RehearsesStoredAnswersAndLearnsOnTheOthersAlone) {
  const MiniBatch batch = random_batch(6, 4, 4, 7);  // every second group is stored
  for (const std::string divergence : {"kl", "kl_plain", "js"}) {
    Arm base = make_arm({"dapo"}, "dapo");
    Arm arm = make_arm({"dph_rl"}, "dapo", {"method.eta=0.5", "method.divergence=\"" + divergence + "\""});
    const Outcome plain = evaluate(base, batch), outcome = evaluate(arm, batch);
    const torch::Tensor &stored = batch.tokens.stored, &mask = batch.tokens.mask;
    EXPECT_TRUE(torch::allclose(outcome.gradient * (1 - stored), plain.gradient * (1 - stored)));
    const torch::Tensor u = (batch.tokens.current_log_probs - batch.tokens.old_log_probs).exp();
    // d/dl of u - 1 - ln u is u - 1, of -ln u it is -1, of u ln u - (u + 1) ln((u + 1) / 2) it is u ln(2 u / (u + 1))
    const torch::Tensor slope =
        divergence == "js" ? u * (2 * u / (u + 1)).log() : (divergence == "kl" ? u - 1 : -torch::ones_like(u));
    EXPECT_TRUE(torch::allclose(outcome.gradient * stored, 0.5 * slope * stored / mask.sum(), 1e-10, 1e-15));
  }
  EXPECT_EQ(make_arm({"dph_rl"}, "grpo").settings.kl_coef, 0);
  EXPECT_THAT(harness::error_of([] { (void)make_arm({"dph_rl"}, "dapo", {"method.samples=4"}); }), HasSubstr("found 6 and 4"));
}

}  // namespace
}  // namespace baselines
