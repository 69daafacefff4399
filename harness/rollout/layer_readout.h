// The layer readout of tokens drawn outside a static step (the first of each response, and all on the CPU) and of given ones.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "harness/rollout/generator.h"

namespace harness {

// Appends to each response value_l = <W_lm[t], h_l> (docs/method.md, "Fingerprint") of its token: L dot products of
// length D. `layers` [L][rows, D], normalised in place where the settings ask for it.
void record_readout(const Transformer& model, const GeneratorSettings& settings, const std::vector<SampledResponse*>& responses,
                    const std::vector<int64_t>& tokens, std::vector<torch::Tensor>& layers);

// The layer readout [T, L] of a response that was not sampled here: what sampling it would have recorded (SampledResponse), by
// one forward pass over prompt and response. Of a response without a prompt nothing precedes the first token: its row is 0.
std::vector<float> layer_readout(const Transformer& model, const std::vector<int64_t>& prompt,
                                 const std::vector<int64_t>& response, bool lens_norm_all);

}  // namespace harness
