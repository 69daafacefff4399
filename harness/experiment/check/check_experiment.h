// check_experiment: every setting of an experiment that cannot be or defeats itself, found before anything starts.
#pragma once

#include <vector>

#include "harness/experiment/check/finding.h"

namespace harness {

struct CheckOptions {
  double device_memory = 0;  // bytes of each GPU; 0: as the GPU of this machine, unknown where there is none
};

// All at once, errors first, then by line: the table's columns and comparisons, the settings of trainings, problem sets, base
// models, memory. Reads the problem sets and tokenizers that unfinished jobs will read, and starts nothing.
std::vector<Finding> check_experiment(const Experiment& experiment, const Program& program, const CheckOptions& options = {});

bool holds_errors(const std::vector<Finding>& findings);
// Whether `run` begins nothing. `elsewhere`: its jobs go to other machines.
bool forbids_run(const std::vector<Finding>& findings, bool elsewhere);

}  // namespace harness
