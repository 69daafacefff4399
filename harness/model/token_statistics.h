// Log-probs and entropies of given tokens, and the gradient of a loss through them to the hidden states.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "harness/model/transformer.h"

namespace harness {

struct TokenStatistics {
  torch::Tensor log_probs;  // [M] fp32, nats
  torch::Tensor entropies;  // [M] fp32, nats
};

// hidden [M, D], targets [M]: log-softmax at the temperature given. Logits are made in chunks of rows and never held whole.
TokenStatistics token_statistics(const Transformer& model, const torch::Tensor& hidden, const std::vector<int64_t>& targets,
                                 double temperature);

// Given d loss / d log-prob [M] and d loss / d entropy [M] (may be undefined), adds d W_lm and returns d hidden [M, D]. Logits
// are made again chunk by chunk: three matrix products, never [M, V] at once.
torch::Tensor token_statistics_backward(Transformer& model, const torch::Tensor& hidden, const std::vector<int64_t>& targets,
                                        double temperature, const torch::Tensor& log_prob_gradient,
                                        const torch::Tensor& entropy_gradient);

}  // namespace harness
