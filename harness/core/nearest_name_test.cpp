#include "harness/core/nearest_name.h"

#include <gtest/gtest.h>

#include "harness/core/key_words.h"

namespace harness {
namespace {

TEST(NearestName, IgnoresCaseAndForgivesASlipOfTheHand) {
  const std::vector<std::string> names = {"GRPO",       "DAPO",    "MEDS",          "seeds",
                                          "compare_to", "math500", "entropy_bonus", "method.alpha"};
  for (const auto& [word, name] : std::vector<std::pair<std::string, std::string>>{{"meds", "MEDS"},
                                                                                   {"dapo", "DAPO"},
                                                                                   {"gpro", "GRPO"},
                                                                                   {"seed", "seeds"},
                                                                                   {"compareto", "compare_to"},
                                                                                   {"compare-to", "compare_to"},
                                                                                   {"math-500", "math500"},
                                                                                   {"entropy", "entropy_bonus"},
                                                                                   {"method.alhpa", "method.alpha"}}) {
    EXPECT_EQ(nearest_name(word, names), name) << word;
  }
}

TEST(NearestName, IsSilentWhereNothingIsNear) {
  const std::vector<std::string> names = {"none", "grpo", "dapo", "meds", "k", "train.steps"};
  for (const char* word : {"reinforce", "ppo", "n", "", "train.whatever", "frobnicate"}) {
    EXPECT_EQ(nearest_name(word, names), "") << word;
    EXPECT_EQ(nearest_text(word, names), "");
  }
  EXPECT_EQ(nearest_text("medz", names), "; the nearest is meds");
}

TEST(NearestKey, KnowsTheWordsOfOtherPrograms) {
  const std::vector<std::string> known = {"optimizer.lr",
                                          "train.responses_per_prompt",
                                          "train.prompts_per_step",
                                          "train.micro_batch_responses",
                                          "train.steps",
                                          "sampling.max_new_tokens",
                                          "eval.max_new_tokens",
                                          "sampling.temperature",
                                          "eval.temperature",
                                          "loss.kl_coef",
                                          "loss.clip_low",
                                          "loss.clip_high",
                                          "prompt.prompt_tokens",
                                          "method.name",
                                          "seeds",
                                          "train.recompute_activations",
                                          "numerics.device",
                                          "numerics.dtype",
                                          "compare_to",
                                          "name"};
  for (const auto& [word, key] :
       std::vector<std::pair<std::string, std::string>>{{"train.learning_rate", "optimizer.lr"},
                                                        {"lr", "optimizer.lr"},
                                                        {"train.batch_size", "train.prompts_per_step"},
                                                        {"train.num_generations", "train.responses_per_prompt"},
                                                        {"max_completion_length", "sampling.max_new_tokens"},
                                                        {"sampling.max_tokens", "sampling.max_new_tokens"},
                                                        {"eval.max_tokens", "eval.max_new_tokens"},
                                                        {"train.max_new_tokens", "sampling.max_new_tokens"},
                                                        {"train.temperature", "sampling.temperature"},
                                                        {"train.beta", "loss.kl_coef"},
                                                        {"loss.kl", "loss.kl_coef"},
                                                        {"loss.epsilon", "loss.clip_low"},
                                                        {"loss.clip", "loss.clip_low"},
                                                        {"loss.epsilon_high", "loss.clip_high"},
                                                        {"num_train_epochs", "train.steps"},
                                                        {"train.max_steps", "train.steps"},
                                                        {"per_device_train_batch_size", "train.micro_batch_responses"},
                                                        {"gradient_accumulation_steps", "train.micro_batch_responses"},
                                                        {"gradient-checkpointing", "train.recompute_activations"},
                                                        {"max_prompt_length", "prompt.prompt_tokens"},
                                                        {"Learning_Rate", "optimizer.lr"},
                                                        {"method", "method.name"},
                                                        {"seed", "seeds"},
                                                        {"compareto", "compare_to"},
                                                        {"device", "numerics.device"},
                                                        {"bf16", "numerics.dtype"},
                                                        {"train.lr", "optimizer.lr"},
                                                        {"optim.lr", "optimizer.lr"}}) {
    EXPECT_EQ(nearest_key_text(word, known), "; the nearest is " + key) << word;
  }
  EXPECT_EQ(nearest_key_text("train.flux_capacitor", known), "");
  // A method's own key is no key of the loss.
  EXPECT_EQ(nearest_key_text("method.beta", known), "");
  // Only what this file reads is proposed.
  EXPECT_EQ(nearest_key_text("num_generations", {"train.steps"}), "");
}

}  // namespace
}  // namespace harness
