// Supervised training: cross-entropy on the responses of demonstrations; makes the nano base models and cold starts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/model/transformer.h"
#include "harness/train/states/optimizer.h"
#include "harness/train/step/memory_limits.h"

namespace harness {

// One demonstration as ids.
struct SupervisedExample {
  std::vector<int64_t> prompt;    // not learned
  std::vector<int64_t> response;  // learned, stop token included
};

// What a supervised training does; a step takes `batch` demonstrations.
struct SupervisedSettings {
  int64_t steps = 1800;
  int64_t batch = 32;
  int64_t micro_batch = 0;  // examples of one forward and backward pass; 0: the whole batch
  bool recompute_activations = false;
  OptimizerSettings optimizer;
};

// What is told of a step.
struct SupervisedStep {
  int64_t step = 0;
  double loss = 0;           // nats a response token
  double smoothed_loss = 0;  // 0.98 of the last one's and 0.02 of this
  int64_t tokens = 0;
  int64_t all_tokens = 0;   // of all steps so far
  int64_t micro_batch = 0;  // examples of one pass at most since memory ended; 0: as set
};

// Where a training is kept while it runs: FOLDER/checkpoint, which the next call with the same identity goes on from.
struct SupervisedCheckpoint {
  std::string folder;  // "": nowhere
  std::string identity;
  int64_t every = 100;  // steps
};

// `example(index)` gives demonstration number index = (step - 1) * batch + place. Gradients are added micro-batch by
// micro-batch with the tokens of the whole batch as denominator; where memory ends, anew with smaller ones for the rest of the
// training (with the checkpoint's, where it goes on from one). Returns the last step. Throws Error for a loss that is not
// finite and for one example that does not fit, Interrupted when asked to stop (with the steps so far kept).
SupervisedStep train_supervised(Transformer& model, const SupervisedSettings& settings,
                                const std::function<SupervisedExample(uint64_t index)>& example,
                                const std::function<void(const SupervisedStep&)>& on_step,
                                const SupervisedCheckpoint& checkpoint = {}, const MemoryLimits::Hooks& hooks = {});

}  // namespace harness
