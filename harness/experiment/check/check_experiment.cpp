#include "harness/experiment/check/check_experiment.h"

#include "harness/experiment/check/parts.h"

namespace harness {

std::vector<Finding> check_experiment(const Experiment& experiment, const Program& program, const CheckOptions& options) {
  FindingList found(experiment);
  check_table(experiment, found);
  check_trainings(experiment, program, found);
  check_problems(experiment, found);
  check_models(experiment, program, found);
  check_machine(experiment, program, options, found);
  return std::move(found).sorted();
}

bool holds_errors(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::error; });
}

bool forbids_run(const std::vector<Finding>& findings, bool elsewhere) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.severity != Severity::warning && !(elsewhere && finding.of_machine);
  });
}

}  // namespace harness
