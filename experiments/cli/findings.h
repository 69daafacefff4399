// What the check of an experiment found, shown by the verbs that read one.
#pragma once

#include <stdexcept>
#include <vector>

#include "harness/experiment/check/check_experiment.h"

namespace experiments {

// The findings are shown, each in its line: nothing is begun, exit status 1.
class Forbidden : public std::runtime_error {
 public:
  Forbidden() : std::runtime_error("nothing is begun") {}
};

// "medsbench: error: ..." on stderr, a line a finding.
void show(const std::vector<harness::Finding>& findings);
// Checks, shows, and throws Forbidden where `run` would begin nothing. `elsewhere`: the jobs go to other machines.
void check_before_run(const harness::Experiment& experiment, bool elsewhere);

}  // namespace experiments
