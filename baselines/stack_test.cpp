#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "baselines/bases.h"
#include "baselines/testing.h"
#include "harness/core/testing.h"

namespace baselines {
namespace {

using testing::evaluate;
using ::testing::HasSubstr;
using testing::make_arm;
using testing::random_batch;

std::string refusal(const std::vector<std::string>& names, const std::vector<std::string>& assignments = {}) {
  return harness::error_of([&] { (void)make_arm(names, "dapo", assignments); });
}

TEST(MethodStack, RefusesTwoOwnersOfASeamNamingBoth) {
  EXPECT_THAT(refusal({"nsr", "maxrl"}), AllOf(HasSubstr("group advantage"), HasSubstr("nsr"), HasSubstr("maxrl")));
  EXPECT_THAT(refusal({"top_entropy", "kl_cov"}), AllOf(HasSubstr("token selection"), HasSubstr("kl_cov")));
  EXPECT_THAT(refusal({"gspo", "cispo"}), HasSubstr("loss form"));
}

TEST(MethodStack, RefusesAMethodTwice) { EXPECT_THAT(refusal({"entropy_bonus", "entropy_bonus"}), HasSubstr("twice")); }

TEST(MethodStack, RefusesShapedRewardsThatNobodyWouldRead) {
  EXPECT_THAT(refusal({"outcome_exploration", "nsr"}), HasSubstr("right and wrong alone"));
  EXPECT_THAT(refusal({"outcome_exploration", "pkpo"}), HasSubstr("first"));
  EXPECT_EQ(refusal({"pkpo", "outcome_exploration"}), "");
}

TEST(MethodStack, RefusesAnUnknownNameWithTheNearestOne) { EXPECT_THAT(refusal({"kl_kov"}), HasSubstr("kl_cov")); }

TEST(MethodStack, RefusesAMissingNeedInsteadOfTakingZero) {
  testing::Arm arm = make_arm({"entropy_advantage"}, "dapo");
  testing::MiniBatch batch = random_batch(1, 2, 4, 5);
  batch.tokens.sampling_entropies = torch::Tensor();
  EXPECT_THROW((void)evaluate(arm, batch), harness::Error);
  testing::Arm with_kl = make_arm({"grpo"}, "grpo");
  batch = random_batch(1, 2, 4, 5);
  batch.tokens.ref_log_probs = torch::Tensor();
  EXPECT_THROW((void)evaluate(with_kl, batch), harness::Error);
}

TEST(MethodStack, CombinesByAddingTheTermsOfEach) {
  const testing::MiniBatch batch = random_batch(3, 3, 4, 6);
  testing::Arm plain = make_arm({"outcome_exploration"}, "dapo");
  testing::Arm bonus = make_arm({"outcome_exploration", "entropy_bonus"}, "dapo", {"method.beta=0.5"});
  const testing::Outcome without = evaluate(plain, batch);
  const testing::Outcome with = evaluate(bonus, batch);
  const double entropy = batch.tokens.current_entropies.sum().item<double>() / batch.tokens.mask.sum().item<double>();
  EXPECT_NEAR(with.loss, without.loss - 0.5 * entropy, 1e-12);
  EXPECT_TRUE(torch::equal(with.advantages, without.advantages));
}

// Adds `term` times the score to each advantage; a term of 0 doubles them instead.
class Reshaper : public harness::Method {
 public:
  Reshaper(std::string name, double term) : name_(std::move(name)), term_(term) {}
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }
  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double> scores,
                          std::span<double> advantages) const override {
    EXPECT_EQ(group.size(), scores.size());
    for (size_t i = 0; i < group.size(); ++i)
      advantages[i] = term_ == 0 ? 2 * advantages[i] : advantages[i] + term_ * scores[i];
  }

 private:
  std::string name_;
  double term_;
};

TEST(MethodStack, ReshapesTheOwnersAdvantagesInTheOrderOfTheList) {
  const testing::MiniBatch batch = random_batch(3, 1, 4, 6);
  const auto advantages = [&](bool doubled_first) {
    testing::Arm owner = make_arm({"maxrl"}, "dapo");
    std::vector<std::unique_ptr<harness::Method>> methods;
    methods.push_back(std::make_unique<Reshaper>("first", doubled_first ? 0 : 3));
    methods.push_back(std::make_unique<Reshaper>("second", doubled_first ? 3 : 0));
    harness::Config keys_of;
    harness::ConfigReader reader(keys_of);
    harness::MethodKeys keys(reader, "maxrl");
    for (const harness::MethodEntry& entry : all_methods()) {
      if (entry.name == "maxrl") methods.push_back(entry.make(keys));
    }
    testing::Arm arm{harness::MethodStack(std::move(methods)), owner.settings};
    const std::vector<double> plain = evaluate(owner, batch).group_advantages;
    std::vector<double> found = evaluate(arm, batch).group_advantages;
    for (size_t i = 0; i < 4; ++i) {
      const double term = 3 * batch.step.samples[i].reward;
      EXPECT_DOUBLE_EQ(found[i], doubled_first ? 2 * plain[i] + term : 2 * (plain[i] + term));
    }
    return found;
  };
  EXPECT_NE(advantages(true), advantages(false));
}

TEST(Bases, DifferInNothingButTheLearningRule) {
  const harness::Config grpo = bases().at("grpo"), dapo = bases().at("dapo");
  EXPECT_EQ(grpo.entries().size(), dapo.entries().size());
  for (const auto& [key, entry] : dapo.entries()) {
    EXPECT_TRUE(grpo.has(key)) << key;
    EXPECT_TRUE(key.starts_with("loss.") || key.starts_with("filter.") || key.starts_with("overlong.")) << key;
  }
}

TEST(Bases, LieUnderTheMethodAndTheMethodUnderTheUser) {
  EXPECT_EQ(make_arm({"clip_higher"}, "grpo").settings.clip_high, 0.28);
  EXPECT_EQ(make_arm({"clip_higher"}, "grpo").settings.kl_coef, 0.001);
  EXPECT_EQ(make_arm({"clip_higher"}, "grpo", {"loss.clip_high=0.4"}).settings.clip_high, 0.4);
}

TEST(Bases, RefuseABaseThatContradictsTheMethod) { EXPECT_THAT(refusal({"grpo"}), HasSubstr("base")); }

TEST(EveryMethod, RunsOnBothBasesAndReadsNoUnknownKey) {
  for (const harness::MethodEntry& entry : all_methods()) {
    for (const std::string base : {"grpo", "dapo"}) {
      if ((entry.name == "grpo" || entry.name == "dapo") && entry.name != base) continue;
      testing::Arm arm = make_arm({entry.name}, base);
      const testing::Outcome outcome = evaluate(arm, random_batch(9, 3, 4, 6));
      EXPECT_TRUE(std::isfinite(outcome.loss)) << entry.name;
      EXPECT_TRUE(outcome.gradient.isfinite().all().item<bool>()) << entry.name;
      for (const auto& method : arm.stack.methods()) EXPECT_EQ(method->name(), entry.name);
    }
  }
}

// The same mini-batch in 1, 2 and 7 rows a micro-batch: the same choice of tokens, gradients within 1e-12.
TEST(EveryMethod, IsIndependentOfTheSplitIntoMicroBatches) {
  for (const harness::MethodEntry& entry : all_methods()) {
    const std::string base = entry.base;
    const testing::MiniBatch batch = random_batch(10, 4, 4, 7);
    testing::Arm whole_arm = make_arm({entry.name}, base);
    const testing::Outcome whole = evaluate(whole_arm, batch);
    for (const int64_t rows_each : {1, 2, 7}) {
      testing::Arm arm = make_arm({entry.name}, base);
      const testing::Outcome parts = evaluate(arm, batch, rows_each);
      EXPECT_TRUE(!whole.selected.defined() || torch::equal(parts.selected, whole.selected)) << entry.name;
      EXPECT_TRUE(torch::allclose(parts.gradient, whole.gradient, 1e-12, 1e-15)) << entry.name << " " << rows_each;
      EXPECT_NEAR(parts.loss, whole.loss, 1e-12) << entry.name;
    }
  }
}

// Rows of a mini-batch in another order (groups stay together): everything follows its row.
TEST(EveryMethod, IsIndependentOfTheOrderOfGroups) {
  for (const harness::MethodEntry& entry : all_methods()) {
    const testing::MiniBatch batch = random_batch(11, 4, 4, 7);
    const torch::Tensor order = torch::arange(16, torch::kLong).roll(4);
    testing::MiniBatch rolled = batch;
    for (torch::Tensor* tensor :
         {&rolled.top_log_probs, &rolled.tokens.old_top_log_probs, &rolled.tokens.most_likely, &rolled.tokens.stored,
          &rolled.tokens.mask, &rolled.tokens.old_log_probs, &rolled.tokens.current_log_probs,
          &rolled.tokens.sampling_entropies, &rolled.tokens.current_entropies, &rolled.tokens.ref_log_probs}) {
      *tensor = tensor->index_select(0, order);
    }
    for (int64_t i = 0; i < 16; ++i) {
      const auto from = static_cast<size_t>(order[i].item<int64_t>());
      rolled.tokens.row_keys[static_cast<size_t>(i)] = batch.tokens.row_keys[from];
      rolled.step.samples[static_cast<size_t>(i)] = batch.step.samples[from];
    }
    testing::Arm arm = make_arm({entry.name}, entry.base), rolled_arm = make_arm({entry.name}, entry.base);
    const testing::Outcome straight = evaluate(arm, batch), other = evaluate(rolled_arm, rolled);
    EXPECT_TRUE(torch::allclose(other.gradient, straight.gradient.index_select(0, order), 1e-10, 1e-14)) << entry.name;
    EXPECT_TRUE(!straight.selected.defined() || torch::equal(other.selected, straight.selected.index_select(0, order)))
        << entry.name;
  }
}

}  // namespace
}  // namespace baselines
