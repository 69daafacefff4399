// What jobs take: their tokens, operations and disk, and the settings of their memory.
#pragma once

#include <cstdint>

#include "harness/experiment/jobs/settings.h"
#include "harness/plan/memory_plan.h"

namespace harness {

// Upper bounds: every prompt and response as long as it may be, one batch of prompts a step.
struct JobCosts {
  double train_tokens = 0, eval_tokens = 0, disk_bytes = 0;
  double pass_flops = 0;    // whole prompts and responses: prefill, forward and backward passes
  double decode_flops = 0;  // token by token
  double decode_bytes = 0;  // weights, keys and values that decoding reads
};
// Add the trainings of so many seeds, or their evaluations on so many problems.
void add_training(const TrainJob& job, const ModelConfig& shape, double seeds, JobCosts& costs);
void add_evaluation(const EvalJob& job, const ModelConfig& shape, double seeds, double problems, JobCosts& costs);

MemorySettings memory_of(const TrainJob& job, const ModelConfig& shape);
MemorySettings memory_of(const EvalJob& job, const ModelConfig& shape, int64_t problems);
// What each process holds where its states are shared so (train.shard).
void share_states(MemorySettings& settings, Shard shard);

}  // namespace harness
