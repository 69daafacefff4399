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

// The K = min(count, vocabulary) most likely tokens of each row of hidden [M, D], most likely first, log-softmax at the
// temperature given, in chunks of rows.
struct TopTokens {
  torch::Tensor ids;        // [M, K] int64
  torch::Tensor log_probs;  // [M, K] fp32, nats
};
TopTokens top_tokens(const Transformer& model, const torch::Tensor& hidden, int64_t count, double temperature);

// Given d loss / d log-prob [M] and d loss / d entropy [M] (may be undefined), adds d W_lm and returns d hidden [M, D]. Logits
// are made again chunk by chunk: three matrix products, never [M, V] at once.
torch::Tensor token_statistics_backward(Transformer& model, const torch::Tensor& hidden, const std::vector<int64_t>& targets,
                                        double temperature, const torch::Tensor& log_prob_gradient,
                                        const torch::Tensor& entropy_gradient);

}  // namespace harness
