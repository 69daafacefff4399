// The work of a training job: one training run in its folder.
#pragma once

#include <string>

#include "harness/experiment/jobs/options.h"
#include "harness/experiment/jobs/program.h"

namespace harness {

struct TrainJobOptions : JobOptions {
  // Of the processes that the first one starts.
  int rank = 0;
  std::string rendezvous;
};

// Trains, or goes on from the last checkpoint; nothing where the folder holds the result of this configuration. Throws Error
// for what the file gets wrong, and for what ends the training.
void run_train_job(const TrainJobOptions& options, const Program& program);

}  // namespace harness
