// Supervised training: cross-entropy on the responses of demonstrations; makes the nano base models and cold starts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/model/transformer.h"
#include "harness/train/optimizer.h"

namespace harness {

struct SupervisedExample {
  std::vector<int64_t> prompt;    // not learned
  std::vector<int64_t> response;  // learned, stop token included
};

struct SupervisedSettings {
  int64_t steps = 1800;
  int64_t batch = 32;
  bool recompute_activations = false;
  OptimizerSettings optimizer;
};

struct SupervisedStep {
  int64_t step = 0;
  double loss = 0;  // nats a response token
  int64_t tokens = 0;
};

// `example(index)` gives demonstration number index = (step - 1) * batch + place. Throws Error for a loss that is not finite,
// Interrupted when asked to stop.
void train_supervised(Transformer& model, const SupervisedSettings& settings,
                      const std::function<SupervisedExample(uint64_t index)>& example,
                      const std::function<void(const SupervisedStep&)>& on_step);

}  // namespace harness
