// Draws the next token of many rows from their logits, by the kernels of a GPU or on the CPU.
#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

#include "harness/core/random.h"
#include "harness/model/ops/gpu.h"
#include "harness/rollout/generator.h"

namespace harness {

struct RowToDraw {
  SampledResponse* response = nullptr;
  const RandomStream* stream = nullptr;  // draw number t is that of token t
};

// Whether kernels can draw so. Where top-k or top-p cut the distribution, tokens are drawn on the CPU.
bool drawn_by_kernels(const SamplingSettings& settings, int64_t vocabulary);

// Appends to each response its next token, with log-prob and entropy. logits [R or more, V].
void draw_next(const torch::Tensor& logits, const std::vector<RowToDraw>& rows, const GeneratorSettings& settings,
               const std::optional<ops::gpu::Kernels>& kernels);

}  // namespace harness
