#include "harness/metrics/problem_counts.h"

#include <algorithm>
#include <functional>

#include "harness/core/error.h"
#include "harness/stats/aggregate.h"

namespace harness {

namespace {

using Groups = std::map<std::string_view, int64_t>;  // answer -> samples with it

std::vector<int64_t> sizes_of(const Groups& groups) {
  std::vector<int64_t> sizes;
  for (const auto& [answer, size] : groups) sizes.push_back(size);
  return sizes;
}

// Each answer numbered in the order of its first sample, with the share of its samples that are right.
Votes votes_of(std::span<const GradedAnswer> answers, const Groups& groups) {
  Votes votes;
  std::map<std::string_view, int64_t> numbers;
  for (const GradedAnswer& sample : answers) {
    if (!sample.answer) {
      votes.answers.push_back(-1);
      continue;
    }
    const auto [number, is_new] = numbers.try_emplace(*sample.answer, static_cast<int64_t>(numbers.size()));
    if (is_new) votes.right.push_back(0);
    votes.right[static_cast<size_t>(number->second)] += sample.correctness == Correctness::right ? 1.0 : 0.0;
    votes.answers.push_back(number->second);
  }
  for (const auto& [answer, number] : numbers) {
    votes.right[static_cast<size_t>(number)] /= static_cast<double>(groups.at(answer));
  }
  return votes;
}

bool graders_disagree(const Outcome& sample, bool right) {
  return std::any_of(sample.verdicts.begin(), sample.verdicts.end(),
                     [&](const auto& verdict) { return (verdict.second == Correctness::right) != right; });
}

}  // namespace

ProblemCounts count_problem(std::span<const GradedAnswer> answers) {
  MEDSBENCH_CHECK(!answers.empty(), "{} answers", answers.size());
  ProblemCounts counts;
  counts.n = static_cast<int64_t>(answers.size());
  Groups groups, wrong;
  int64_t wrong_without_answer = 0;
  for (const GradedAnswer& sample : answers) {
    const bool right = sample.correctness == Correctness::right;
    counts.right += right ? 1 : 0;
    counts.undecided += sample.correctness == Correctness::undecided ? 1 : 0;
    counts.no_answer += sample.answer ? 0 : 1;
    if (sample.answer) ++groups[*sample.answer];
    if (!right && sample.answer) ++wrong[*sample.answer];
    if (!right && !sample.answer) ++wrong_without_answer;
  }
  counts.distinct_answers = static_cast<int64_t>(groups.size());
  if (!groups.empty()) counts.answer_entropy = entropy_of_counts(sizes_of(groups));
  counts.wrong_groups = sizes_of(wrong);
  std::sort(counts.wrong_groups.begin(), counts.wrong_groups.end(), std::greater<>());
  if (counts.right < counts.n) {
    const int64_t largest = std::max(wrong_without_answer, counts.wrong_groups.empty() ? 0 : counts.wrong_groups.front());
    counts.largest_wrong_share = static_cast<double>(largest) / static_cast<double>(counts.n - counts.right);
  }
  counts.votes = votes_of(answers, groups);
  return counts;
}

ProblemCounts count_problem(const Samples& samples, const std::string& grader) {
  std::vector<GradedAnswer> answers;
  for (const Outcome* sample : samples) answers.push_back({sample->verdict(grader), sample->final_answer()});
  ProblemCounts counts = count_problem(answers);
  for (const Outcome* sample : samples) {
    const bool right = sample->correct(grader);
    counts.disagree += graders_disagree(*sample, right) ? 1 : 0;
    if (!right && !sample->error_label.empty()) ++counts.error_labels[sample->error_label];
  }
  return counts;
}

}  // namespace harness
