// Import: a Llama-architecture GGUF file as an ordinary Hugging Face model folder.
#pragma once

#include <cstdint>
#include <string>

#include "harness/model/files/model_config.h"
#include "harness/model/gguf/gguf.h"

namespace harness {

// The configuration that the file's metadata and tensors describe. Throws Error for another architecture (named), experts, and
// features that the network does not have.
ModelConfig gguf_model_config(const GgufFile& file);

struct GgufImportOptions {
  // "float32" keeps every bit of the dequantised numbers; "bfloat16" and "float16" round them.
  std::string dtype = "float32";
  int64_t max_shard_bytes = 5'000'000'000;
};

// Writes config.json, generation_config.json, tokenizer.json, tokenizer_config.json and the weights. The rows of the query and
// key projections are put back into the order that transformers uses (llama.cpp interleaves the two halves of a head). Returns
// the configuration. Throws Error for a file that cannot be read or is refused; nothing is written then.
ModelConfig import_gguf(const std::string& path, const std::string& folder, const GgufImportOptions& options = {});

}  // namespace harness
