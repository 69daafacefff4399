// BatchLoss: what a stack of methods makes of a step's rewards and of a mini-batch's tokens, up to the gradients: the second
// half of the training step (step.h), the same for a training (float, micro-batch by micro-batch), `inspect loss` (double) and
// tests.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "harness/train/method/method.h"

namespace harness {

// shape -> advantage -> reshape, of the samples of one step.
struct ShapedRewards {
  std::vector<double> scores;      // [samples] base rewards as the methods shaped them
  std::vector<double> advantages;  // [samples]
};
// Methods with a memory take the step into it and add their metrics.
ShapedRewards shape_rewards(MethodStack& methods, const StepBatch& step, Metrics& metrics);

// select -> loss, of one mini-batch: the seams T and Q see the whole of it once, the loss goes part by part with the
// denominators of the whole, so that the parts add up to it.
class BatchLoss {
 public:
  // Applies T and Q to `batch`, whose advantages are those of the responses. The methods outlive it. Throws Error where the
  // batch lacks what a method needs.
  BatchLoss(const MethodStack& methods, const LossSettings& settings, TokenBatch batch);

  // With the advantages after T and the importance weights.
  [[nodiscard]] const TokenBatch& batch() const { return batch_; }
  // [B, T] 0/1; undefined where no method selects.
  [[nodiscard]] const torch::Tensor& selected() const { return selected_; }
  // Whether a method needs the gradient by the log-probs of the most likely tokens.
  [[nodiscard]] bool needs_top() const { return methods_.needs().top_gradient; }
  // Tokens that count, of the whole.
  [[nodiscard]] double tokens() const { return global_.tokens; }
  // The number of parts that the loss is made in (as made: one), for loss.aggregation = "micro_token_mean".
  void set_parts(int64_t parts) { global_.micro_batches = static_cast<double>(parts); }

  // The loss of rows begin .. end - 1 (b of them) and its gradients.
  struct Part {
    double loss = 0;
    torch::Tensor by_log_probs;  // [b, T]
    torch::Tensor by_entropies;  // [b, T]; undefined unless a method needs it
    torch::Tensor by_top;        // [b, T, K] by the log-probs of the most likely tokens; undefined unless a method needs it
    LossSums sums;               // over the tokens of the part
  };
  // `log_probs`, `entropies` [b, T] and `top` [b, T, K], log-probs of the most likely tokens, under the current policy, values
  // alone; what no method needs the gradient of may be undefined. Throws Error where something that a method or the KL term
  // needs is.
  [[nodiscard]] Part of_rows(int64_t begin, int64_t end, const torch::Tensor& log_probs, const torch::Tensor& entropies,
                             const torch::Tensor& top = {}) const;

 private:
  const MethodStack& methods_;
  LossSettings settings_;
  TokenBatch batch_;
  torch::Tensor selected_;
  Denominators global_;
};

}  // namespace harness
