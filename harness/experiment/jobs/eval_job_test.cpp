#include "harness/experiment/jobs/eval_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace harness {
namespace {

std::vector<Outcome> samples(const std::vector<std::pair<std::string, int64_t>>& names) {
  std::vector<Outcome> outcomes;
  for (const auto& [problem, sample] : names) {
    Outcome outcome;
    outcome.problem = problem;
    outcome.sample = sample;
    outcomes.push_back(outcome);
  }
  return outcomes;
}

TEST(MergedSamples, OfEachProblemAreTheStoredOnesThenTheNew) {
  const std::vector<Outcome> all =
      merge_samples(samples({{"a", 0}, {"a", 1}, {"b", 0}, {"b", 1}}), samples({{"a", 2}, {"b", 2}}), 2, 3);
  std::vector<std::pair<std::string, int64_t>> names;
  for (const Outcome& outcome : all) names.emplace_back(outcome.problem, outcome.sample);
  const std::vector<std::pair<std::string, int64_t>> expected = {{"a", 0}, {"a", 1}, {"a", 2}, {"b", 0}, {"b", 1}, {"b", 2}};
  EXPECT_EQ(names, expected);
}

TEST(MergedSamples, OfAFirstEvaluationAreTheNewOnes) {
  EXPECT_EQ(merge_samples({}, samples({{"a", 0}, {"b", 0}}), 0, 1).size(), 2u);
}

}  // namespace
}  // namespace harness
