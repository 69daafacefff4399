// Regrading: stored outcomes graded anew by another grader; nothing is generated.
#pragma once

#include <cstdint>
#include <string>

#include "harness/data/problem_catalog.h"
#include "harness/experiment/stored_problems.h"

namespace harness {

struct RegradeOptions {
  std::string folder, grader;  // results folder; name of the grader
  StoredProblemSettings problems;
  bool main = false;  // tables use this grader from now on
};

struct Regraded {
  int64_t graded = 0;   // responses
  int64_t changed = 0;  // verdicts that differ from the main grader's
};

// Adds the grader's verdict to every outcome of the folder. Throws Error where the main grader does not come to its stored
// verdict again: the problems are then not those answered.
Regraded regrade(const RegradeOptions& options, const ProblemCatalog& catalog);

}  // namespace harness
