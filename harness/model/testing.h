// What the tests of the network share: models in which attention and gates matter, random tokens.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "harness/core/random.h"
#include "harness/model/files/testing.h"
#include "harness/model/transformer.h"

namespace harness {

// tiny_config of two layers: qwen3, or qwen2 with biases.
inline ModelConfig two_layers(bool qk_norm = true, bool bias = false, bool tied = false) {
  ModelConfig config = tiny_config();
  config.architecture = qk_norm ? "qwen3" : "qwen2";
  config.layers = 2;
  config.qk_norm = qk_norm;
  config.qkv_bias = bias;
  config.tied_head = tied;
  return config;
}

// A model with weights large enough to make attention and gates matter.
inline Transformer lively_model(const ModelConfig& config, uint64_t seed, const Numerics& numerics = {}) {
  Transformer model(config, numerics);
  model.initialise(seed);
  for (Parameter& parameter : model.parameters()) {
    const torch::Tensor wave = 0.1 * torch::sin(torch::arange(parameter.value.numel()));
    if (parameter.decay) parameter.value.mul_(8.0);
    if (!parameter.decay) parameter.value.add_(wave.view_as(parameter.value).to(parameter.value.options()));
  }
  return model;
}

inline std::vector<int64_t> random_tokens(uint64_t seed, int64_t length, int64_t vocabulary = 41) {
  std::vector<int64_t> ids;
  const RandomStream stream("test tokens", {seed});
  for (int64_t i = 0; i < length; ++i) {
    ids.push_back(static_cast<int64_t>(stream.below(static_cast<uint64_t>(i), static_cast<uint64_t>(vocabulary))));
  }
  return ids;
}

}  // namespace harness
