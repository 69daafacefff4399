// What a method may ask a step for, given as it is promised: the most likely tokens of each place, stored answers of the base.
#include <gtest/gtest.h>
#include <torch/types.h>

#include "harness/train/step/rows.h"
#include "harness/train/testing.h"

namespace harness {
namespace {

struct StoredToy {
  explicit StoredToy(ToyRun toy) : toy(std::move(toy)), policy(this->toy.policy()), prompts(this->toy.prompts()) {
    for (const Problem& problem : this->toy.problems) prompt_ids.push_back(prompts.ids(problem.text));
  }
  [[nodiscard]] CollectInputs inputs() const { return {toy.settings, prompts, toy.grader, toy.problems, prompt_ids}; }
  ToyRun toy;
  std::unique_ptr<Transformer> policy;
  PromptMaker prompts;
  std::vector<std::vector<int64_t>> prompt_ids;
};

int64_t right_of(const RolloutGroup& group) {
  return std::count_if(group.samples.begin(), group.samples.end(), [](const Sample& sample) { return sample.correct; });
}

TEST(StoredAnswers, AreThoseOfMasteredProblemsAndTheSameAtEveryStart) {
  const StoredToy stored{ToyRun()};
  const StoredAnswers all = sample_stored_answers(*stored.policy, stored.inputs(), 6, 0);
  const StoredAnswers some = sample_stored_answers(*stored.policy, stored.inputs(), 6, 3);
  ASSERT_EQ(all.size(), stored.toy.problems.size());
  EXPECT_GT(some.size(), 0U);
  EXPECT_LT(some.size(), all.size());
  for (const auto& [problem, group] : all) {
    EXPECT_EQ(group.samples.size(), 6U);
    EXPECT_EQ(some.contains(problem), right_of(group) >= 3);
    if (!some.contains(problem)) continue;
    for (size_t k = 0; k < 6; ++k) {
      EXPECT_EQ(group.responses[k].ids, some.at(problem).responses[k].ids);
      EXPECT_EQ(group.responses[k].log_probs, some.at(problem).responses[k].log_probs);
      EXPECT_TRUE(group.samples[k].stored);
    }
  }
  for (const auto& [problem, group] : sample_stored_answers(*stored.policy, stored.inputs(), 6, 3, true)) {
    EXPECT_TRUE(some.contains(problem));
    EXPECT_EQ(right_of(group), right_of(some.at(problem)));
    EXPECT_EQ(right_of(group), static_cast<int64_t>(group.responses.size()));
  }
}

TEST(StoredAnswers, StandInThePlaceOfNewResponsesAndCountInNothingGenerated) {
  ToyRun run;
  run.settings.prompts_per_step = 6;
  const StoredToy toy{run};
  const StoredAnswers stored = sample_stored_answers(*toy.policy, toy.inputs(), 4, 2);
  CollectInputs inputs = toy.inputs();
  inputs.stored = &stored;
  DataCursor cursor, plain_cursor;
  const Collected found = collect_groups(*toy.policy, inputs, cursor, 1);
  const Collected plain = collect_groups(*toy.policy, toy.inputs(), plain_cursor, 1);
  ASSERT_EQ(found.groups.size(), 6U);
  EXPECT_EQ(found.groups_stored, static_cast<int64_t>(stored.size()));
  EXPECT_EQ(found.groups_generated, 6 - found.groups_stored);
  EXPECT_EQ(found.responses_generated, 6 * found.groups_generated);
  EXPECT_GT(found.groups_stored, 0);
  EXPECT_GT(found.groups_generated, 0);
  for (size_t g = 0; g < 6; ++g) {
    const RolloutGroup& group = found.groups[g];
    const auto own = stored.find(group.problem);
    const std::vector<SampledResponse>& expected = own == stored.end() ? plain.groups[g].responses : own->second.responses;
    ASSERT_EQ(group.responses.size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      EXPECT_EQ(group.responses[k].ids, expected[k].ids);
      EXPECT_EQ(group.samples[k].stored, own != stored.end());
      EXPECT_EQ(group.samples[k].key == 0, false);
      EXPECT_EQ(group.samples[k].group, static_cast<int64_t>(g));
    }
  }
}

TEST(StoredAnswers, KeepTheLogProbsOfTheBaseWhenOldOnesAreRecomputed) {
  const ToyRun toy;
  ToyRows of(toy, {3, 2});
  of.rows[1].stored = true;
  const std::vector<float> before = of.rows[1].old_log_probs;
  std::vector<std::vector<float>> now;
  for (const TrainRow& row : of.rows) now.emplace_back(row.old_log_probs.size(), -3.0F);
  replace_old_log_probs(of.rows, now, 0);
  EXPECT_EQ(of.rows[1].old_log_probs, before);
  EXPECT_EQ(of.rows[0].old_log_probs[0], -3.0F);
}

TEST(TopTokensOfRows, AreThoseOfThePolicyThatSampledInOnePassOrMore) {
  const ToyRun toy;
  const ToyRows of(toy, {4, 3});
  const auto policy = toy.policy();
  TrainSettings settings = toy.settings;
  const RowStatistics whole = score_rows(*policy, {of.rows, settings}, 2);
  settings.micro_batch_responses = 3;
  const RowStatistics parts = score_rows(*policy, {of.rows, settings}, 2);
  EXPECT_EQ(parts.top_ids, whole.top_ids);
  EXPECT_EQ(parts.top_log_probs, whole.top_log_probs);
  int64_t first = 0;
  for (size_t b = 0; b < of.rows.size(); ++b) {
    for (size_t t = 0; t < of.rows[b].old_log_probs.size(); ++t) {
      const bool is_first = static_cast<int64_t>(whole.top_ids[b][2 * t]) == of.rows[b].response->ids[t];
      first += is_first ? 1 : 0;
      EXPECT_GE(whole.top_log_probs[b][2 * t], whole.top_log_probs[b][2 * t + 1]);
      EXPECT_TRUE(is_first ? whole.top_log_probs[b][2 * t] == of.rows[b].old_log_probs[t]
                           : whole.top_log_probs[b][2 * t] >= of.rows[b].old_log_probs[t]);
    }
  }
  EXPECT_GT(first, 3);
}

ToyRun asking_run() {
  ToyRun toy = touchy_run();
  toy.asks = true;
  return toy;
}

TEST(WhatAMethodAsksFor, IsTheSameThroughAStop) {
  ToyRun toy = asking_run();
  toy.train_in(toy.inputs("straight"));
  toy.settings.steps = 2;
  toy.train_in(toy.inputs("stopped"));
  toy.settings.steps = 4;
  toy.train_in(toy.inputs("stopped"));
  EXPECT_TRUE(bytes_of(toy.inputs("straight").folder) == bytes_of(toy.inputs("stopped").folder));
  EXPECT_NE(read_file(toy.inputs("straight").folder + "/metrics.jsonl").find("\"stored_groups\":"), std::string::npos);
}

TEST(WhatAMethodAsksFor, IsTheSameInAnyNumberOfProcesses) {
  const ToyRun toy = asking_run();
  const auto alone = toy.policy();
  toy.train_policy(*alone, toy.inputs("alone"));
  const auto policies = train_as_ranks(toy, "two", 2);
  ToyRun tallied = toy;
  const auto with_tally = toy.policy();
  tallied.train_policy(*with_tally, toy.inputs("tallied"), true);
  EXPECT_LT(largest_difference(*policies[0], *with_tally), 1e-5);
  EXPECT_EQ(largest_difference(*policies[0], *policies[1]), 0);
  EXPECT_GT(largest_difference(*alone, *toy.policy()), 1e-5) << "nothing was learnt";
}

}  // namespace
}  // namespace harness
