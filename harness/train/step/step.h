// The one training step (docs/architecture.md): problems -> sample -> verify -> filter -> score -> shape -> advantage ->
// reshape
// -> select -> loss -> update. A method fills seams of it and nothing else.
#pragma once

#include <cstdint>

#include "harness/train/step/collect.h"
#include "harness/train/step/reference.h"
#include "harness/train/step/timing.h"
#include "harness/train/step/update.h"

namespace harness {

// What a step works on; all outlive it.
struct StepParts {
  const TrainSettings& settings;
  const CollectInputs& inputs;
  Transformer& policy;
  const ReferencePolicy* reference = nullptr;  // null without KL
  MethodStack& methods;
  Optimizer& optimizer;
  DataCursor& cursor;
};

// What a step says of itself.
struct StepResult {
  Metrics metrics;  // of metrics.jsonl (step_metrics.h)
  int64_t tokens_generated = 0, responses_generated = 0, responses_kept = 0;
  Seconds seconds;  // of its parts, for timing.json
  Work work;
};

// Runs step number `step` = 1, 2, ... Throws Error for a starved step that is to stop the run, a loss that is not finite, and
// memory that does not hold one response.
StepResult run_step(StepParts& parts, int64_t step);

}  // namespace harness
