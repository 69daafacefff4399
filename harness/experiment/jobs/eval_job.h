// The work of an evaluation job: samples, grades and stores outcomes.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/experiment/jobs/options.h"
#include "harness/experiment/jobs/program.h"

namespace harness {

// Evaluates; samples that the folder holds of the same configuration are kept, and only more are added. Throws Error for what
// the file gets wrong.
void run_eval_job(const JobOptions& options, const Program& program);

// The stored samples of each problem, so many as `before`, followed by the new ones up to `n`: both lists hold the same
// problems in the same order, the samples of one side by side.
std::vector<Outcome> merge_samples(std::vector<Outcome> stored, std::vector<Outcome> fresh, int64_t before, int64_t n);

}  // namespace harness
