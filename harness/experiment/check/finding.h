// Finding: one setting with which an experiment cannot run or defeats itself, where it stands, and the way out.
#pragma once

#include <string>
#include <vector>

#include "harness/experiment/experiment.h"

namespace harness {

enum class Severity {
  error,    // cannot be, whatever is fetched: nothing is begun
  missing,  // not here yet: `run` begins nothing, `plan` goes on without it
  warning,  // runs, but not to the end that it has
};

struct Finding {
  Severity severity = Severity::error;
  std::string place{};              // "FILE: line 17: KEY", "--set: KEY"; of a key that nobody sets "FILE: KEY (base dapo)"
  std::string what{};               // "expected ..., found ..."
  std::string way_out{};            // "" where `what` says it
  std::vector<std::string> rows{};  // whose setting it is; {}: all
  bool of_machine = false;          // of this machine: no matter where the jobs run elsewhere
};

// "error: PLACE: WHAT; WAY_OUT (rows A, B)", one line.
std::string finding_text(const Finding& finding);

// What is found of one experiment. What several rows have alike is one finding.
class FindingList {
 public:
  explicit FindingList(const Experiment& experiment) : experiment_(experiment) {}
  // Of a key of the row.
  void add(const PlannedRow& row, const std::string& key, Finding finding);
  // Of a key of the file's head.
  void add(const std::string& key, Finding finding);
  // Of the place that the finding has.
  void add(Finding finding);
  // Errors first, then by line.
  [[nodiscard]] std::vector<Finding> sorted() &&;

 private:
  const Experiment& experiment_;
  std::vector<Finding> findings_;
};

}  // namespace harness
