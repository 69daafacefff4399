// Random models in the shapes of the benchmarks: nano, SmolLM2-135M, Qwen2.5-0.5B and Qwen3-1.7B.
#pragma once

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "harness/core/random.h"
#include "harness/cuda/device.h"
#include "harness/cuda/peak.h"
#include "harness/rollout/generator.h"

namespace harness {

inline ModelConfig nano_shape() {
  ModelConfig config;
  config.architecture = "qwen3";
  config.vocab_size = 36;
  config.width = 64;
  config.layers = 6;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.mlp_width = 192;
  config.max_positions = 256;
  config.qk_norm = true;
  config.tied_head = true;
  config.eos_ids = {0};
  return config;
}

inline ModelConfig smollm2_shape() {
  ModelConfig config;
  config.architecture = "llama";
  config.vocab_size = 49152;
  config.width = 576;
  config.layers = 30;
  config.heads = 9;
  config.kv_heads = 3;
  config.head_dim = 64;
  config.mlp_width = 1536;
  config.max_positions = 2048;
  config.tied_head = true;
  config.eos_ids = {2};
  return config;
}

// Qwen2.5-0.5B.
inline ModelConfig qwen_half_shape() {
  ModelConfig config;
  config.architecture = "qwen2";
  config.vocab_size = 151936;
  config.width = 896;
  config.layers = 24;
  config.heads = 14;
  config.kv_heads = 2;
  config.head_dim = 64;
  config.mlp_width = 4864;
  config.max_positions = 32768;
  config.rope_theta = 1e6;
  config.qkv_bias = true;
  config.tied_head = true;
  config.eos_ids = {151643};
  return config;
}

inline ModelConfig qwen3_shape() {
  ModelConfig config;
  config.architecture = "qwen3";
  config.vocab_size = 151936;
  config.width = 2048;
  config.layers = 28;
  config.heads = 16;
  config.kv_heads = 8;
  config.head_dim = 128;
  config.mlp_width = 6144;
  config.max_positions = 40960;
  config.rope_theta = 1e6;
  config.qk_norm = true;
  config.tied_head = true;
  config.eos_ids = {151643};
  return config;
}

// Weights of the size that `initialise` gives, from a hash of their index: a second for 135 million.
inline std::unique_ptr<Transformer> make_bench_model(const ModelConfig& config, const Numerics& numerics = {}) {
  auto model = std::make_unique<Transformer>(config, numerics);
  for (Parameter& parameter : model->parameters()) {
    if (!parameter.decay) {
      parameter.value.fill_(parameter.name.ends_with("bias") ? 0 : 1);
      continue;
    }
    const auto options = torch::TensorOptions().dtype(torch::kFloat64).device(numerics.device);
    torch::Tensor hash = torch::arange(parameter.value.numel(), options).mul_(12.9898).sin_().mul_(43758.5453).frac_();
    parameter.value.copy_(hash.mul_(0.035).view_as(parameter.value));  // uniform on +-0.035: deviation 0.02
  }
  return model;
}

// Made once a shape; benchmarks of one shape share it.
inline Transformer& bench_model(bool nano) {
  if (nano) {
    static const std::unique_ptr<Transformer> model = make_bench_model(nano_shape());
    return *model;
  }
  static const std::unique_ptr<Transformer> model = make_bench_model(smollm2_shape());
  return *model;
}

inline GenerationRequest bench_request(const Transformer& model, int64_t prompt, int64_t samples) {
  GenerationRequest request;
  const RandomStream stream("bench prompt", {1});
  for (int64_t i = 0; i < prompt; ++i) {
    request.prompt.push_back(
        static_cast<int64_t>(stream.below(static_cast<uint64_t>(i), static_cast<uint64_t>(model.config().vocab_size))));
  }
  for (int64_t s = 0; s < samples; ++s) {
    request.streams.emplace_back("bench", std::initializer_list<uint64_t>{static_cast<uint64_t>(s)});
  }
  return request;
}

// Of the GPU that is there; none for the CPU and for one that is not known.
inline std::optional<cuda::Peak> bench_peak(const std::string& device) {
  return device == "cuda" ? cuda::peak_of(cuda::find_devices().name) : std::nullopt;
}

// A benchmark times nothing that does not hold.
inline void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error("benchmark: " + what);
}

}  // namespace harness
