#include "harness/train/step/step_metrics.h"

#include <gtest/gtest.h>

namespace harness {
namespace {

// A group of wrong answers ("" for none) and right ones.
RolloutGroup group_of(const std::vector<std::string>& wrong, const std::vector<std::string>& right) {
  RolloutGroup group;
  const auto add = [&](const std::string& answer, bool correct) {
    Sample sample;
    sample.correct = correct;
    sample.reward = correct ? 1 : 0;
    sample.has_answer = !answer.empty();
    sample.answer = answer;
    group.samples.push_back(sample);
    group.responses.emplace_back();
  };
  for (const std::string& answer : wrong) add(answer, false);
  for (const std::string& answer : right) add(answer, true);
  return group;
}

TEST(StepMetrics, RolloutIsCountedOverAllThatWasSampled) {
  Collected collected;
  collected.groups = {group_of({"3", "4"}, {"5"})};
  collected.gen_batches = 2;
  collected.groups_generated = 4;
  collected.responses_generated = 12;
  collected.tokens_generated = 60;
  for (int i = 0; i < 12; ++i) {
    collected.tally.add({}, "", i < 3 ? Correctness::right : Correctness::wrong, i < 6, true);
  }
  collected.groups_mixed = 1;
  collected.wrong_answers = 5;
  collected.repeated_wrong_answers = 2;
  collected.graded_twice = 8;
  collected.graders_disagree = 1;
  collected.responses_truncated = 2;
  collected.responses_without_answer = 6;
  collected.entropy_sum = 90;
  collected.starved = true;
  Metrics metrics;
  record_rollout(collected, metrics);
  const Metrics expected = {
      {"rollout_pass_rate", 0.25}, {"one_sided_groups", 0.75}, {"repeated_wrong", 0.4}, {"grader_disagreement", 0.125},
      {"truncated", 2.0 / 12},     {"no_answer", 0.5},         {"response_tokens", 5},  {"sampling_entropy", 1.5},
      {"groups_generated", 4},     {"groups_kept", 1},         {"gen_batches", 2},      {"responses_generated", 12},
      {"responses_kept", 3},       {"tokens_generated", 60},   {"starved", 1}};
  EXPECT_EQ(metrics, expected);
}

TEST(StepMetrics, DiversityIsThatWorkedByHand) {
  Collected collected;
  collected.groups = {group_of({"3", "3", "4", "", ""}, {"5", "5"}),  // 3 answers; 2 of 5 wrong ones are equal
                      group_of({"", "", "", "7"}, {"5"}),             // 2 answers; no answer is the most frequent, 3 of 4
                      group_of({}, {"5", "5"})};                      // 1 answer, nothing wrong
  Metrics metrics;
  record_diversity(collected, metrics);
  EXPECT_DOUBLE_EQ(metrics.at("distinct_answers"), (3 + 2 + 1) / 3.0);
  EXPECT_DOUBLE_EQ(metrics.at("largest_wrong_share"), (2 / 5.0 + 3 / 4.0) / 2);

  metrics.clear();
  collected.groups = {group_of({}, {"5"})};
  record_diversity(collected, metrics);
  EXPECT_EQ(metrics, (Metrics{{"distinct_answers", 1}}));
  metrics.clear();
  record_diversity({}, metrics);
  EXPECT_TRUE(metrics.empty());
}

TEST(StepMetrics, ErrorLabelsAreSharesOfThoseThatHaveOne) {
  Collected collected;
  collected.groups = {group_of({"3", "4", "6", "7"}, {"5"})};
  std::vector<Sample>& samples = collected.groups[0].samples;
  samples[0].error_label = samples[1].error_label = "slip";
  samples[2].error_label = "drop last";
  Metrics metrics;
  record_error_labels(collected, metrics);
  EXPECT_EQ(metrics, (Metrics{{"error_label/drop last", 1.0 / 3}, {"error_label/slip", 2.0 / 3}}));
}

TEST(StepMetrics, FingerprintsAreMissedOnlyWhereThereAreAnswersAndNone) {
  Collected collected;
  Metrics metrics;
  collected.groups = {group_of({"", ""}, {})};
  record_missing_fingerprints(collected, metrics);
  EXPECT_TRUE(metrics.empty());
  collected.groups.push_back(group_of({"3"}, {}));
  record_missing_fingerprints(collected, metrics);
  EXPECT_EQ(metrics, (Metrics{{"no_fingerprints", 1}}));
  metrics.clear();
  collected.groups[0].samples[0].fingerprint = {1};
  record_missing_fingerprints(collected, metrics);
  EXPECT_TRUE(metrics.empty());
}

TEST(StepMetrics, RewardsAreMeansOverTheKeptResponses) {
  Metrics metrics;
  record_rewards({.step = 1, .groups = 1, .samples = group_of({"3", "4", "6"}, {"5"}).samples}, {-0.5, 0, 0, 0.9}, metrics);
  EXPECT_EQ(metrics, (Metrics{{"reward", 0.25}, {"shaped_reward", 0.1}}));
}

TEST(UpdateMetrics, AreMeansButTheLargestRatioIsTheLargestOfAll) {
  UpdateMetrics updates;
  updates.add({{"loss", 1}, {"largest_log_ratio", 0.5}});
  updates.add({{"loss", 3}, {"largest_log_ratio", 0.75}});
  updates.add({{"loss", 2}, {"largest_log_ratio", 0.25}});
  Metrics metrics;
  updates.record(metrics);
  EXPECT_EQ(metrics, (Metrics{{"first_log_ratio", 0.5}, {"largest_log_ratio", 0.75}, {"loss", 2}, {"updates", 3}}));
  metrics.clear();
  UpdateMetrics().record(metrics);
  EXPECT_EQ(metrics, (Metrics{{"updates", 0}}));
}

}  // namespace
}  // namespace harness
