#include "harness/train/step/step.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "harness/train/testing.h"

namespace harness {
namespace {

// Learns as its base does and keeps what it is shown.
class SeenMethod : public Method {
 public:
  struct Seen {
    std::vector<Sample> samples;
    std::vector<TokenBatch> batches;  // of each mini-batch, before T
    std::vector<LossInputs> inputs;   // of each micro-batch
  };
  explicit SeenMethod(Seen& seen) : seen_(seen) {}
  [[nodiscard]] std::string name() const override { return "seen"; }
  void shape_rewards(const StepBatch& step, std::vector<double>&, Metrics&) override { seen_.samples = step.samples; }
  void observe(const TokenBatch& batch) override { seen_.batches.push_back(batch); }
  [[nodiscard]] bool owns_policy_terms() const override { return true; }
  [[nodiscard]] torch::Tensor policy_terms(const LossSettings& settings, const LossInputs& inputs,
                                           LossSums& sums) const override {
    seen_.inputs.push_back(inputs);
    return clipped_surrogate(settings, inputs, sums);
  }

 private:
  Seen& seen_;
};

// The first step of a toy run. `sampled_under`: settings of sampling where they are others than those of the rest.
struct FirstStep {
  explicit FirstStep(const ToyRun& toy) : FirstStep(toy, toy.settings) {}
  FirstStep(const ToyRun& toy, const TrainSettings& sampled_under)
      : policy(toy.policy()), optimizer(*policy, toy.settings.optimizer) {
    const PromptMaker prompts = toy.prompts();
    std::vector<std::vector<int64_t>> prompt_ids;
    for (const Problem& problem : toy.problems) prompt_ids.push_back(prompts.ids(problem.text));
    const CollectInputs inputs{sampled_under, prompts, toy.grader, toy.problems, prompt_ids};
    std::vector<std::unique_ptr<Method>> list;
    list.push_back(std::make_unique<SeenMethod>(seen));
    MethodStack methods(std::move(list));
    DataCursor cursor;
    StepParts parts{toy.settings, inputs, *policy, nullptr, methods, optimizer, cursor};
    result = run_step(parts, 1);
  }
  SeenMethod::Seen seen;
  std::unique_ptr<Transformer> policy;
  Optimizer optimizer;
  StepResult result;
};

TEST(RunStep, TruncatedResponsesCountInNoLossUnderMaskTruncated) {
  ToyRun toy;
  toy.settings.mini_batch_prompts = toy.settings.prompts_per_step;
  const FirstStep all(toy);
  toy.settings.mask_truncated = true;
  const FirstStep some(toy);
  ASSERT_EQ(some.seen.batches.size(), 1U);
  const torch::Tensor tokens = all.seen.batches[0].mask, counted = some.seen.batches[0].mask;
  EXPECT_EQ(tokens.sum().item<double>(), all.result.metrics.at("tokens_generated"));
  int64_t masked = 0;
  for (int64_t row = 0; row < tokens.size(0); ++row) {
    if (torch::equal(counted[row], tokens[row])) continue;
    ++masked;
    EXPECT_EQ(counted[row].sum().item<double>(), 0);
    EXPECT_EQ(tokens[row].sum().item<int64_t>(), toy.settings.sampling.max_new_tokens);
  }
  EXPECT_EQ(static_cast<double>(masked), some.result.metrics.at("truncated") * some.result.metrics.at("responses_generated"));
  EXPECT_GT(masked, 0);
  EXPECT_LT(masked, tokens.size(0));
}

// One response a mini-batch: those that are truncated have nothing to learn from.
TEST(RunStep, AMiniBatchThatIsMaskedIsNoUpdateAndDilutesNoMean) {
  ToyRun toy;
  toy.settings.prompt.stop_ids = {2, 3, 4, 5};
  toy.settings.sampling.max_new_tokens = 4;
  toy.settings.prompts_per_step = 6;
  toy.settings.responses_per_prompt = 1;
  toy.settings.mini_batch_prompts = 1;
  toy.settings.mask_truncated = true;
  const FirstStep step(toy);
  const Metrics& metrics = step.result.metrics;
  const double updates = metrics.at("updates");
  EXPECT_EQ(updates, 6 * (1 - metrics.at("truncated")));
  EXPECT_GT(updates, 0);
  EXPECT_LT(updates, 6);
  EXPECT_EQ(updates, static_cast<double>(step.optimizer.updates()));
  EXPECT_DOUBLE_EQ(metrics.at("lr"), toy.settings.optimizer.lr);

  toy.settings.prompt.stop_ids.clear();
  toy.settings.sampling.max_new_tokens = 1;
  const FirstStep none(toy);
  ASSERT_EQ(none.result.metrics.at("truncated"), 1);
  EXPECT_EQ(none.result.metrics.at("updates"), 0);
  EXPECT_FALSE(none.result.metrics.contains("loss"));
  EXPECT_EQ(none.optimizer.updates(), 0);
}

TEST(RunStep, TheLargestLogRatioIsThatOfAllItsMiniBatches) {
  ToyRun toy;
  toy.settings.mini_batch_prompts = 1;
  toy.settings.optimizer.lr = 3e-2;
  const FirstStep step(toy);
  double largest = 0, sum = 0;
  for (const LossInputs& inputs : step.seen.inputs) {
    const torch::Tensor difference = ((inputs.log_probs.detach() - inputs.old_log_probs) * inputs.mask).abs();
    largest = std::max(largest, difference.max().item<double>());
    sum += difference.max().item<double>();
  }
  ASSERT_EQ(step.seen.inputs.size(), 3U);
  EXPECT_EQ(step.result.metrics.at("largest_log_ratio"), largest);
  EXPECT_GT(largest, 1.2 * sum / 3) << "the mean would pass for the largest";
  EXPECT_EQ(step.result.metrics.at("first_log_ratio"), 0);
}

// Another temperature stands for numerics of sampling that differ from those of training.
TEST(RunStep, ImportanceWeightsAreTheTruncatedRatiosOfScoringToSampling) {
  ToyRun toy;
  toy.settings.mini_batch_prompts = toy.settings.prompts_per_step;
  toy.settings.recompute_old_log_probs = true;
  TrainSettings sampled_under = toy.settings;
  sampled_under.sampling.temperature = 0.9;
  const auto weights_under = [&](double cap) {
    toy.settings.importance_cap = cap;
    const FirstStep step(toy, sampled_under);
    const TokenBatch& batch = step.seen.batches.at(0);
    const torch::Tensor weights = step.seen.inputs.at(0).advantages / batch.advantages;  // [B, T], 0 / 0 where nothing counts
    EXPECT_GT(step.result.metrics.at("sampling_scoring_difference"), 0.1);
    EXPECT_GT(step.result.metrics.at("sampling_scoring_chi_square"), 0);
    EXPECT_NE(step.result.metrics.at("sampling_scoring_perplexity"), 1);
    for (int64_t row = 0; cap > 100 && row < weights.size(0); ++row) {  // the product of a response's weights
      if (batch.advantages[row][0].item<double>() == 0) continue;
      const auto tokens = batch.mask[row].sum().item<int64_t>();
      const double sampled = step.seen.samples[static_cast<size_t>(row)].mean_log_prob * static_cast<double>(tokens);
      EXPECT_NEAR(weights[row].slice(0, 0, tokens).log().sum().item<double>(),
                  batch.old_log_probs[row].sum().item<double>() - sampled, 1e-5);
    }
    return weights.nan_to_num(1);
  };
  const torch::Tensor whole = weights_under(1e6), capped = weights_under(1);
  EXPECT_GT(whole.max().item<double>(), 1.1);
  EXPECT_LT(whole.min().item<double>(), 0.9);
  EXPECT_TRUE(torch::allclose(capped, whole.clamp_max(1), 0, 1e-6));
}

TEST(ReplaceOldLogProbs, WeighsByTheExponentialOfTheDifferenceUpToTheCap) {
  const float ln2 = std::log(2.0F);
  std::vector<TrainRow> rows(2);
  rows[0].old_log_probs = {-2, -1, -1};
  rows[1].old_log_probs = {-1};
  const std::vector<std::vector<float>> now = {{-2 + ln2, -1 - ln2, -1}, {-0.75F}};
  const ScoringDifference found = replace_old_log_probs(rows, now, 1.5);
  EXPECT_EQ(found.largest, ln2);
  // Ratios 2, 1/2, 1 and e^(1/4); perplexities exp(-(ln2 - ln2) / 3) and exp(-1/4).
  EXPECT_NEAR(found.chi_square, (4 + 0.25 + 1 + std::exp(0.5)) / 4 - 1, 1e-6);
  EXPECT_NEAR(found.perplexity_ratio, (1 + std::exp(-0.25)) / 2, 1e-6);
  EXPECT_EQ(rows[0].old_log_probs, now[0]);
  ASSERT_EQ(rows[0].weights.size(), 3U);
  EXPECT_EQ(rows[0].weights[0], 1.5F);
  EXPECT_NEAR(rows[0].weights[1], 0.5, 1e-6);
  EXPECT_EQ(rows[0].weights[2], 1);
  EXPECT_NEAR(rows[1].weights.at(0), std::exp(0.25), 1e-6);
  const ScoringDifference none = replace_old_log_probs(rows, now, 0);
  EXPECT_EQ(none.largest, 0);
  EXPECT_EQ(none.chi_square, 0);
  EXPECT_EQ(none.perplexity_ratio, 1);
  EXPECT_EQ(rows[1].weights.size(), 1U) << "no cap, no weights";
}

TEST(RunStep, ASkippedStepLeavesThePolicyAlone) {
  ToyRun toy;
  for (Problem& problem : toy.problems) problem.answer = "";  // no group has a right response
  toy.settings.filter = {true, 2, "skip"};
  const auto before = toy.policy();
  const FirstStep step(toy);
  const Metrics& metrics = step.result.metrics;
  EXPECT_EQ(step.result.work.at("rollout").tokens, metrics.at("tokens_generated"));
  EXPECT_EQ(static_cast<double>(step.result.tokens_generated), metrics.at("tokens_generated"));
  EXPECT_EQ(step.result.responses_generated, 36);
  EXPECT_EQ(step.result.responses_kept, 0);
  EXPECT_FALSE(step.result.work.contains("update"));
  EXPECT_EQ(metrics.at("starved"), 1);
  EXPECT_EQ(metrics.at("groups_kept"), 0);
  EXPECT_EQ(step.optimizer.updates(), 0);
  for (size_t i = 0; i < before->parameters().size(); ++i) {
    EXPECT_TRUE(torch::equal(before->parameters()[i].value, step.policy->parameters()[i].value));
  }
}

}  // namespace
}  // namespace harness
