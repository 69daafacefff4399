// ForeignOutcomes: a file of responses that another program sampled and judged, read as our outcomes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "harness/data/outcome.h"
#include "harness/data/problem.h"

namespace harness {

// Which verdicts of a file count.
struct VerdictChoice {
  std::string metric;  // field that is 1 (right) or 0 (wrong); "": the only one
  std::string filter;  // of lm-evaluation-harness's filters; "": the only one
  std::string
      grader;  // responses are graded here, by our grader of this name and the right answers of the file; "": they are not
};
// Of a set.
using ChooseVerdicts = std::function<VerdictChoice(const std::string& set)>;

// The name under which a foreign verdict stands in the outcomes.
inline constexpr const char* kGiven = "given";

struct ForeignOutcomes {
  std::string program;    // "lm-evaluation-harness", "lighteval", "JSON lines"
  std::string judged_by;  // "exact_match (strict-match)", our grader's name, "given"
  OutcomeFile file;       // verdicts by kGiven; seeds 0 unless has_seeds
  bool has_seeds = false;
  std::map<std::string, ProblemSet> problems;    // by set: id, text and answer where the file has them
  std::map<std::string, std::string> questions;  // problem -> hash of its question, where the file has it
  std::optional<double> temperature;             // where the file says it, and one alone
};

// The set that a file's name says: TASK of samples_TASK_DATE.jsonl and details_TASK_DATE.parquet, else the name without its
// ending.
std::string set_of_file(const std::string& path);

// Reads a file, whose format its columns show:
// - lm-evaluation-harness, `--log_samples`: {"doc_id", "resps", "filter", METRIC, ...} a problem and filter;
// - lighteval, details (Parquet): doc, model_response, metric;
// - JSON lines: {"problem", "correct", "sample", "seed", "set", "answer", "response"}, the first two needed; set "" where they
// have none. Several responses to a problem (repeats) need a list of verdicts or a grader. Throws Error("FILE: line N: expected
// ..., found
// ...") for other columns, a verdict that is neither 0 nor 1, and a choice that the file leaves open.
ForeignOutcomes read_foreign_outcomes(const std::string& path, const ChooseVerdicts& choose);

// One of the JSON lines above, also with "fingerprint"; verdict by kGiven. Throws Error for a missing field or one of another
// type.
Outcome outcome_of_plain_line(const Json& line);

}  // namespace harness
