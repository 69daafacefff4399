// What the tests of models share: a tiny configuration and the folders that transformers wrote.
#pragma once

#include <string>

#include "harness/core/testing.h"
#include "harness/model/files/model_config.h"

namespace harness {

// A tiny model folder written by transformers.
inline std::string golden_folder(const std::string& name) {
  return std::string(MEDSBENCH_SOURCE_DIR) + "/harness/model/testdata/" + name;
}

// A few thousand numbers, with shared key-value heads and sizes that are no multiple of a vector: what most tests run.
inline ModelConfig tiny_config(int64_t vocab_size = 41) {
  ModelConfig config;
  config.architecture = "qwen3";
  config.vocab_size = vocab_size;
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

}  // namespace harness
