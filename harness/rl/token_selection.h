// Token selection over a whole mini-batch, the same whatever its split into micro-batches.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace harness {

// The `count` largest values among the tokens where `eligible` is not 0: [B, T] 0/1 of the dtype of `values`. Equal values: the
// smaller row key first, then the earlier position, so that the order of the rows does not matter.
torch::Tensor select_largest(const torch::Tensor& values, const torch::Tensor& eligible, int64_t count,
                             const std::vector<uint64_t>& row_keys);
// `count` of the eligible tokens (all, where there are fewer), uniformly at random: each token draws by its own keyed stream
// (purpose, row key, update; counter: position in the response).
torch::Tensor select_random(const torch::Tensor& eligible, int64_t count, const std::vector<uint64_t>& row_keys,
                            const std::string& purpose, int64_t update);

// How many tokens a share (0 .. 1) of `tokens` is. Rounded down as the covariance methods' code does, or up as that of 80/20
// does (it adds 0.9999 before it cuts); at least one where the share is above 0.
int64_t share_rounded_down(double share, int64_t tokens);
int64_t share_rounded_up(double share, int64_t tokens);

// cov_t = (A_t - mean A) * (l_t - mean l), means over the tokens of the mask (arXiv 2505.22617, eq. 10). [B, T], 0 outside.
torch::Tensor token_covariance(const torch::Tensor& advantages, const torch::Tensor& log_probs, const torch::Tensor& mask);

}  // namespace harness
