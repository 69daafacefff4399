// ProblemResult: what one evaluated policy did on one problem, counted from its stored outcomes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/stats/majority.h"

namespace harness {

struct ProblemResult {
  std::string problem, kind;
  int64_t n = 0, correct = 0;                          // by the main grader
  int64_t no_answer = 0, undecided = 0, disagree = 0;  // responses; disagree: right by one grader, not by another
  int64_t answers = 0, distinct_answers = 0;           // responses with an answer; different ones (missing answers left out)
  std::optional<double> answer_entropy;                // nats over final answers; absent where no response has one
  double mean_entropy = 0, mean_tokens = 0;            // nats a token; tokens a response
  std::map<std::string, int64_t> error_labels;         // true error label -> wrong responses (procedural sets)
  std::vector<int64_t> wrong_groups;                   // sizes of groups of equal wrong answers, largest first
  std::string most_common_wrong;                       // the answer of the largest such group
  int64_t seed = 0;                                    // training seed
  Votes votes;                                         // final answers in the order of the samples, for maj@k
};

// A response kept for reading in the HTML page.
struct SampleText {
  std::string set, problem, text, answer, error_label, verdict;
  int64_t sample = 0, group_size = 0;  // responses to this problem with the same answer
};

// All problems of one set, in order of their ids.
struct SetResult {
  std::vector<ProblemResult> problems;
};

struct PolicyResults {
  std::map<std::string, SetResult> sets;
  std::vector<SampleText> samples;
  std::vector<std::string> graders;
  std::string main_grader;
  int64_t responses = 0;
  std::map<std::string, int64_t> disagreements;  // other grader -> responses that are right by one of it and the main one alone
};

struct CountSettings {
  std::string grader;         // "": the main grader of the file
  int64_t n = 128;            // samples 0 .. n-1 of each problem count, so that diversity is taken at a fixed n
  int64_t read_problems = 0;  // problems a set whose responses are kept for reading
};

// Counts the outcomes of one file. Throws Error for two outcomes of one sample.
PolicyResults count_outcomes(const OutcomeFile& file, const CountSettings& settings);

}  // namespace harness
