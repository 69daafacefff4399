#include "harness/reward/grader.h"

namespace harness {

std::string error_label(const Verdict& verdict, const Problem& problem) {
  if (verdict.correctness == Correctness::right || !verdict.normalised) return {};
  const auto known = problem.error_labels.find(*verdict.normalised);
  if (known != problem.error_labels.end()) return known->second;
  return problem.has_error_labels ? "slip" : "";
}

}  // namespace harness
