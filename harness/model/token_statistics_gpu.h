// What token_statistics and its gradient do with hidden states on a GPU: by its kernels, or without any by plain operations.
// Tests run both on the CPU, the kernels by their host bodies.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/model/files/work.h"
#include "harness/model/ops/gpu.h"
#include "harness/model/token_statistics.h"

namespace harness {

// Rows whose logits are held at once.
inline int64_t chunk_rows(const Transformer& model) {
  return logit_chunk_rows(model.config().vocab_size, !model.numerics().device.is_cpu());
}

TokenStatistics token_statistics_by(const std::optional<ops::gpu::Kernels>& kernels, const Transformer& model,
                                    const torch::Tensor& hidden, const std::vector<int64_t>& targets, double temperature);
// Adds d W_lm; the caller has opened the head's gradients.
torch::Tensor add_head_gradient_by(const std::optional<ops::gpu::Kernels>& kernels, Transformer& model,
                                   const torch::Tensor& hidden, const std::vector<int64_t>& targets, double temperature,
                                   const torch::Tensor& log_prob_gradient, const torch::Tensor& entropy_gradient);

}  // namespace harness
