#include "experiments/cli/findings.h"

#include <fmt/format.h>

#include <cstdio>

#include "experiments/cli/every_method.h"

namespace experiments {

void show(const std::vector<harness::Finding>& findings) {
  for (const harness::Finding& finding : findings) fmt::print(stderr, "medsbench: {}\n", harness::finding_text(finding));
}

void check_before_run(const harness::Experiment& experiment, bool elsewhere) {
  const std::vector<harness::Finding> findings = harness::check_experiment(experiment, this_program());
  show(findings);
  if (harness::forbids_run(findings, elsewhere)) throw Forbidden();
}

}  // namespace experiments
