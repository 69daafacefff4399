// Outcome: what is stored of one sampled response, one JSON line each, zstd frames. Tables are made from these alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/data/correctness.h"

namespace harness {

inline constexpr int64_t kOutcomeVersion = 1;

struct Outcome {
  std::string set;                              // problem set
  std::string problem;                          // problem id
  std::string kind;                             // problem kind, may be empty
  int64_t seed = 0;                             // training seed of the policy (0 for an untrained base)
  int64_t sample = 0;                           // 0 .. n-1
  std::map<std::string, Correctness> verdicts;  // by grader
  std::optional<std::string> extracted;         // answer as written; none: no answer
  std::optional<std::string> normalised;        // normalised answer
  std::string error_label;                      // true error label of a wrong answer, "" where there is none
  std::string finish;                           // "stop" | "length"; "": not known
  int64_t tokens = 0;                           // sampled tokens, the stop token included; 0: not known
  std::vector<int64_t> ids;                     // sampled ids (may be empty if only text is kept)
  std::string text;                             // decoded response
  double mean_log_prob = 0;                     // nats a token
  double mean_entropy = 0;                      // nats a token
  std::vector<float> fingerprint;               // [L'] the layers chosen; empty: none

  // By the given grader. Throws Error if that grader has not graded it.
  [[nodiscard]] Correctness verdict(const std::string& grader) const;
  [[nodiscard]] bool correct(const std::string& grader) const { return verdict(grader) == Correctness::right; }
  // The answer as answers are compared and counted: normalised where the grader could, as written otherwise; none: no answer.
  [[nodiscard]] const std::optional<std::string>& final_answer() const { return normalised ? normalised : extracted; }
};

// Share of the outcomes that are right by the grader; 0 of none.
double share_right(const std::vector<Outcome>& outcomes, const std::string& grader);

// As its line in the file; what is empty (kind, error_label, ids, fingerprint) is left out, floats read back the same.
OrderedJson to_json(const Outcome& outcome);
// Throws Error for a missing field or one of another type.
Outcome outcome_from_json(const Json& line);

// outcomes.jsonl.zst: the first line is {"version": 1, "format": "medsbench outcomes", "graders": [...], "main": grader},
// each later line one outcome; zstd frames of kRowsPerFrame lines, so that the bytes do not depend on how it was written.
struct OutcomeFile {
  std::string main_grader;
  std::vector<Outcome> outcomes;
  std::set<std::string> sets_without_answers = {};  // which answer a response gives is not known there ("no_answers")
};
// Atomically (harness/core/files.h). Throws Error for a full disk.
void write_outcomes(const std::string& path, const OutcomeFile& file);
// Throws Error("PATH: line N: expected ..., found ..."), also for a newer version.
OutcomeFile read_outcomes(const std::string& path);

}  // namespace harness
