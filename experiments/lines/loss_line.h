// One line of `inspect loss`: a mini-batch as JSON, and what a method stack makes of it.
#pragma once

#include <cstdint>

#include "harness/core/json.h"
#include "harness/train/method/method.h"

namespace experiments {

// A mini-batch of B responses of at most T tokens, as read; tensors are double.
struct LossLine {
  harness::StepBatch step;      // samples side by side by group
  std::vector<int64_t> row_of;  // [B] row of the line of each sample of `step`
  harness::TokenBatch tokens;   // in the line's rows, advantages not yet set; what the line has none of is undefined
  torch::Tensor log_probs;      // [B, T] under the current policy
  torch::Tensor top_log_probs;  // [B, T, K] of the most likely tokens, under the current policy; undefined unless needed
  torch::Tensor entropies;      // [B, T] nats, of the current and the sampling policy alike; undefined where the line has none
};

// A row's key is its number in the line. Throws Error for a missing field, a wrong type or shape, or a field that the stack or
// the KL term needs and the line lacks.
LossLine read_loss_line(const harness::Json& line, const harness::Needs& needs, bool needs_reference);

// Advantages, loss, gradients, selected tokens and metrics of the line as one mini-batch, then the controllers' update.
// `settings.max_response_tokens` 0 stands for T; `step.step` and `tokens.update` are the caller's.
harness::OrderedJson answer_loss_line(const LossLine& line, harness::MethodStack& stack, harness::LossSettings settings);

}  // namespace experiments
