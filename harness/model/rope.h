// Rotary frequencies: the inverse frequencies of a model, with the stretching rules that transformers applies.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/model/files/model_config.h"

namespace harness {

// [head_dim / 2] radians per position, for sequences of `length` positions; only "dynamic" depends on the length, and only
// beyond max_positions. The same single-precision operations as transformers' modeling_rope_utils, hence the same bits.
// Sources: linear (position interpolation, Chen et al. 2023), dynamic (NTK-aware), llama3 (Llama 3.1), yarn (Peng et al. 2023).
std::vector<float> rope_inverse_frequencies(const ModelConfig& config, int64_t length);
// What cos and sin are multiplied by: 1 but for yarn.
double rope_attention_factor(const ModelConfig& config);

}  // namespace harness
