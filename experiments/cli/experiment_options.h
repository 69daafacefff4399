// The options of verbs that read an experiment file.
#pragma once

#include "experiments/cli/command_line.h"
#include "harness/experiment/experiment.h"

namespace experiments {

// What lies over the file: --data, --scale, --set.
inline void add_layer_options(Verb verb, harness::ExperimentOptions& options) {
  verb.option("--data", options.data_dir, "folder with the published data sets");
  verb.option("--scale", options.scale, "multiplies steps, prompts and samples").positive();
  verb.option("--set", options.sets, "KEY=VALUE, over the file");
}

// These, and --out, --jobs, --seeds.
inline void add_experiment_options(Verb verb, harness::ExperimentOptions& options) {
  verb.option("--out", options.runs, "folder for run folders and results (default: runs/NAME and results/NAME)");
  verb.option("--jobs", options.workers, "worker processes at once").at_least(1);
  verb.option("--seeds", options.seeds, "number of training seeds").at_least(1);
  add_layer_options(verb, options);
}

}  // namespace experiments
