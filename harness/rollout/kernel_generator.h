// `generate` by given kernels: on a GPU those of its device, in tests their bodies on the CPU, the twin that tests compare.
#pragma once

#include <optional>
#include <vector>

#include "harness/model/ops/gpu.h"
#include "harness/rollout/generator.h"

namespace harness {

// None: rows are drawn on the CPU and stepped by Transformer::decode.
std::vector<std::vector<SampledResponse>> generate_by(const std::optional<ops::gpu::Kernels>& kernels, const Transformer& model,
                                                      const std::vector<GenerationRequest>& requests,
                                                      const GeneratorSettings& settings, GenerationTotals* totals = nullptr,
                                                      const GenerationProgress& progress = {});

}  // namespace harness
