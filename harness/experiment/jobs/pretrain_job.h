// The work of a pretraining job: makes a model folder by supervised training on demonstrations: the nano base models, and cold
// starts of real ones.
#pragma once

#include "harness/experiment/jobs/options.h"
#include "harness/experiment/jobs/program.h"

namespace harness {

// The model goes to the folder's subfolder model/; nothing where the result of this configuration is there. Throws Error for
// what the file gets wrong.
void run_pretrain_job(const JobOptions& options, const Program& program);

}  // namespace harness
