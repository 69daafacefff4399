// The layer readout of tokens that were drawn outside a static step: the first of each response, and all on the CPU.
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

}  // namespace harness
