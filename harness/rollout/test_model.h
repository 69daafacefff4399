// Tiny random models and requests for the tests of this folder.
#pragma once

#include <torch/types.h>

#include <cmath>

#include "harness/core/random.h"
#include "harness/rollout/generator.h"

namespace harness {

inline ModelConfig tiny_config() {
  ModelConfig config;
  config.architecture = "qwen3";
  config.vocab_size = 37;
  config.width = 24;
  config.layers = 3;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 6;
  config.mlp_width = 36;
  config.max_positions = 128;
  config.qk_norm = true;
  config.tied_head = true;
  config.eos_ids = {0};
  return config;
}

// Weights large enough that probabilities are far from equal.
inline Transformer tiny_model(uint64_t seed, torch::Dtype dtype = torch::kFloat32) {
  Numerics numerics;
  numerics.dtype = dtype;
  Transformer model(tiny_config(), numerics);
  model.initialise(seed);
  for (Parameter& parameter : model.parameters()) {
    if (parameter.decay) parameter.value.mul_(6.0);
  }
  return model;
}

inline std::vector<int64_t> tiny_prompt(uint64_t seed, int64_t length) {
  std::vector<int64_t> ids;
  const RandomStream stream("test prompt", {seed});
  for (int64_t i = 0; i < length; ++i) ids.push_back(static_cast<int64_t>(stream.below(static_cast<uint64_t>(i), 37)));
  return ids;
}

inline GenerationRequest tiny_request(uint64_t seed, int64_t length, uint64_t samples, uint64_t first = 0) {
  GenerationRequest request{tiny_prompt(seed, length), {}};
  for (uint64_t s = first; s < first + samples; ++s) {
    request.streams.emplace_back("test rollout", std::initializer_list<uint64_t>{seed, s});
  }
  return request;
}

// Logits after the last of `ids`, by a forward pass over all of them, in double: [V].
inline torch::Tensor plain_logits(const Transformer& model, const std::vector<int64_t>& ids) {
  PackedBatch batch;
  batch.add(ids);
  const torch::Tensor hidden = model.forward(batch);
  return model.logits(hidden.slice(0, batch.rows() - 1, batch.rows()))[0].to(torch::kFloat64);
}

inline bool same_bytes(const SampledResponse& a, const SampledResponse& b) {
  return a.ids == b.ids && a.log_probs == b.log_probs && a.entropies == b.entropies && a.readout == b.readout &&
         a.stopped == b.stopped;
}

}  // namespace harness
