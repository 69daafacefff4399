// The base models of an experiment file: each a folder, or a cell that makes it.
#pragma once

#include "experiments/cli/experiment.h"

namespace experiments {

// Reads every [models.NAME] of `models` into the experiment's models and base cells. `common`: the file's keys for every row.
// Throws Error for what the file gets wrong.
void plan_models(harness::Config& models, const harness::Config& common, Experiment& experiment);

}  // namespace experiments
