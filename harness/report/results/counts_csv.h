// counts.csv: how many samples of each problem each (row, seed) got right, all that pass@k is made of; and back.
#pragma once

#include <string>

#include "harness/report/results/experiment_results.h"

namespace harness {

// base_model,row,seed,set,problem,n,correct lines.
std::string counts_csv(const ExperimentResults& results);

// FOLDER's experiment with its counts as FOLDER/counts.csv has them: no answers, no curves. Throws Error("PATH: line N: ...").
ExperimentResults read_counts(const std::string& folder);

}  // namespace harness
