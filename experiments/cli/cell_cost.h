// What cells take: their tokens, operations and disk, and the settings of their memory.
#pragma once

#include <cstdint>

#include "experiments/cli/cell.h"
#include "experiments/cli/memory_plan.h"

namespace experiments {

// Upper bounds: every prompt and response as long as it may be, one batch of prompts a step.
struct CellCosts {
  double train_tokens = 0, eval_tokens = 0, flops = 0, disk_bytes = 0;
};
// Add the trainings of so many seeds, or their evaluations on so many problems.
void add_training(const TrainCell& cell, const harness::ModelConfig& shape, double seeds, CellCosts& costs);
void add_evaluation(const EvalCell& cell, const harness::ModelConfig& shape, double seeds, double problems, CellCosts& costs);

MemorySettings memory_of(const TrainCell& cell, const harness::ModelConfig& shape);
MemorySettings memory_of(const EvalCell& cell, const harness::ModelConfig& shape, int64_t problems);
// What each process holds where its states are shared so (train.shard).
void share_states(MemorySettings& settings, harness::Shard shard);

}  // namespace experiments
