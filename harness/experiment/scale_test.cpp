#include "harness/experiment/scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace harness {
namespace {

using testing::HasSubstr;

std::map<std::string, int64_t> after(const std::vector<ScaledKey>& keys) {
  std::map<std::string, int64_t> values;
  for (const ScaledKey& key : keys) values[key.key] = key.after;
  return values;
}

TEST(Scale, MultipliesWhatMakesARunLongAndKeepsUpdatesAndWarmUpInProportion) {
  TrainSettings train;
  train.steps = 100;
  train.prompts_per_step = 512;
  train.mini_batch_prompts = 16;
  train.responses_per_prompt = 16;
  train.optimizer.warmup_updates = 320;
  const std::vector<ScaledKey> scaled = scaled_keys(train, 128, 0.125);
  const std::map<std::string, int64_t> expected = {{"train.steps", 13},  // 12.5 rounded
                                                   {"train.prompts_per_step", 64},
                                                   {"train.mini_batch_prompts", 2},
                                                   {"train.responses_per_prompt", 2},
                                                   {"eval.n", 16},
                                                   {"optimizer.warmup_updates", 42}};  // 320 of 3200 updates as of 416: 41.6
  EXPECT_EQ(after(scaled), expected);
  EXPECT_THAT(scale_note(0.125, {scaled, scaled}), HasSubstr("scaled by 0.125 (--scale): train.steps 100 to 13, "));
  EXPECT_TRUE(scaled_keys(train, 128, 1).empty());
}

TEST(Scale, LeavesAtLeastOneOfEachAndTwoResponses) {
  TrainSettings train;
  train.steps = 3;
  const std::vector<ScaledKey> scaled = scaled_keys(train, 128, 1e-6);
  EXPECT_EQ(after(scaled)["train.steps"], 1);
  EXPECT_EQ(after(scaled)["train.responses_per_prompt"], 2);  // a group of one has no advantage
  EXPECT_EQ(after(scaled)["eval.n"], 1);
}

TEST(Scale, NamesOnlyWhatChanged) {
  TrainSettings train;
  train.steps = 1;
  EXPECT_THAT(scale_note(0.9, {scaled_keys(train, 1, 0.9)}), testing::Not(HasSubstr("eval.n")));
}

TEST(ReachableK, EndsAtTheSamplesThereAre) {
  EXPECT_EQ(reachable_k({1, 8, 128}, 8), (std::vector<int64_t>{1, 8}));
  EXPECT_EQ(reachable_k({1, 128}, 1), (std::vector<int64_t>{1}));
}

}  // namespace
}  // namespace harness
