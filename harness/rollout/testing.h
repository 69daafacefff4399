// Tiny random models and requests for the tests of this folder.
#pragma once

#include <torch/types.h>

#include <cmath>

#include "harness/model/testing.h"
#include "harness/rollout/generator.h"

namespace harness {

// Weights large enough that probabilities are far from equal.
inline Transformer tiny_model(uint64_t seed, torch::Dtype dtype = torch::kFloat32) {
  Numerics numerics;
  numerics.dtype = dtype;
  Transformer model(tiny_config(37), numerics);
  model.initialise(seed);
  for (Parameter& parameter : model.parameters()) {
    if (parameter.decay) parameter.value.mul_(6.0);
  }
  return model;
}

inline GenerationRequest tiny_request(uint64_t seed, int64_t length, uint64_t samples, uint64_t first = 0) {
  GenerationRequest request{random_tokens(seed, length, 37), {}};
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
