// One line of `inspect loss`: a mini-batch as JSON, and what a method stack makes of it.
#pragma once

#include <cstdint>

#include "harness/core/json.h"
#include "harness/train/method/method.h"

namespace experiments {

// A mini-batch of B responses of at most T tokens, as read; tensors are double.
struct LossLine {
  int64_t rows = 0, positions = 0;         // B, T
  harness::StepBatch step;                 // samples side by side by group
  std::vector<int64_t> row_of;             // [B] row of the line of each sample of `step`
  torch::Tensor mask;                      // [B, T] 0/1
  torch::Tensor log_probs, old_log_probs;  // [B, T]
  torch::Tensor ref_log_probs, entropies;  // [B, T]; undefined where the line has none
};

// Throws Error for a missing field, a wrong type or shape, or a field that the stack or the KL term needs and the line lacks.
LossLine read_loss_line(const harness::Json& line, const harness::Needs& needs, bool needs_reference);

// Advantages, loss, gradients, selected tokens and metrics of the line as one mini-batch, then the controllers' update.
// `settings.max_response_tokens` 0 stands for T. `update` is the number of the line, from 0.
harness::OrderedJson answer_loss_line(const LossLine& line, harness::MethodStack& stack, harness::LossSettings settings,
                                      int64_t update);

}  // namespace experiments
