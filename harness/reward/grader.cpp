#include "harness/reward/grader.h"

namespace harness {

std::string error_label(const Verdict& verdict, const Problem& problem, std::string_view response) {
  if (verdict.correctness == Correctness::right || !verdict.normalised) return {};
  for (const auto& [opening, label] : problem.error_openings) {
    if (response.starts_with(opening)) return label;
  }
  const auto known = problem.error_labels.find(*verdict.normalised);
  if (known != problem.error_labels.end()) return known->second;
  return problem.has_error_labels ? "slip" : "";
}

}  // namespace harness
