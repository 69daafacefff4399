// ProblemCounts: what the samples of one problem by one policy came to; training, `score` and every table count here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/stats/majority.h"
#include "harness/stats/undefined.h"

namespace harness {

// One sample as it is counted.
struct GradedAnswer {
  Correctness correctness = Correctness::wrong;
  std::optional<std::string_view> answer;  // the final answer as answers are compared; none: no answer
};

struct ProblemCounts {
  int64_t n = 0;          // samples
  int64_t right = 0;      // every other sample is a wrong one, the undecided too
  int64_t undecided = 0;  // the grader could not tell
  int64_t no_answer = 0;
  bool answers_known = true;  // false: nothing is known of answers, and what follows from them is undefined
  int64_t disagree = 0;       // right by this grader and not by another one, or the other way round
  int64_t distinct_answers = 0;
  // Entropy in nats over the final answers, missing ones left out; undefined where there is no answer.
  double answer_entropy = kUndefined;
  // Share of the wrong samples in the largest group of them with one answer; undefined without a wrong sample. Samples without
  // an answer are a group of their own here, and here alone.
  double largest_wrong_share = kUndefined;
  std::vector<int64_t> wrong_groups;  // sizes of groups of equal wrong answers, largest first; no group of missing ones
  std::map<std::string, int64_t> error_labels;  // true error label -> wrong samples that have it
  Votes votes;                                  // final answers in the order of the samples, for maj@k
};

// Needs one answer at least. `disagree` and `error_labels` stay empty: a GradedAnswer does not know them.
ProblemCounts count_problem(std::span<const GradedAnswer> answers);

// The stored samples of one problem, in the order of their numbers.
using Samples = std::vector<const Outcome*>;
// By the verdicts of `grader`. Throws Error for a sample that it has not graded.
ProblemCounts count_problem(const Samples& samples, const std::string& grader);

// What one policy did on one set: by problem id.
using SetCounts = std::map<std::string, ProblemCounts>;

}  // namespace harness
