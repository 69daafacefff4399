// The one training step (docs/architecture.md): problems -> sample -> verify -> filter -> score -> shape -> advantage -> select
// -> loss -> update. A method fills seams of it and nothing else.
#pragma once

#include <cstdint>

#include "harness/train/step/collect.h"
#include "harness/train/step/reference.h"
#include "harness/train/step/timing.h"
#include "harness/train/step/update.h"

namespace harness {

struct StepParts {
  const TrainSettings& settings;
  const CollectInputs& inputs;
  Transformer& policy;
  const ReferencePolicy* reference = nullptr;  // null without KL
  MethodStack& methods;
  Optimizer& optimizer;
  DataCursor& cursor;
};

// Runs step number `step` = 1, 2, ... and returns its metrics; adds to seconds and work.
Metrics run_step(StepParts& parts, int64_t step, Seconds& seconds, Work& work);

}  // namespace harness
