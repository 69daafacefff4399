// ModelConfig: the shape and habits of a decoder-only model, read from and written to a Hugging Face folder.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace harness {

// How rotary frequencies are stretched beyond the trained length. `type`: "none", "linear", "dynamic", "llama3", "yarn".
struct RopeScaling {
  std::string type = "none";
  double factor = 1.0;
  int64_t original_max_positions = 0;      // llama3, yarn: positions the model was trained on
  double low_freq_factor = 1.0;            // llama3
  double high_freq_factor = 4.0;           // llama3
  double beta_fast = 32.0;                 // yarn
  double beta_slow = 1.0;                  // yarn
  bool truncate = true;                    // yarn: whole dimensions as the ends of the ramp
  std::optional<double> attention_factor;  // yarn: multiplies cos and sin; absent: from factor and the two below
  std::optional<double> mscale;            // yarn
  std::optional<double> mscale_all_dim;    // yarn
};

// What generation_config.json proposes; absent where it says nothing.
struct GenerationDefaults {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int64_t> top_k;
};

struct ModelConfig {
  std::string architecture = "llama";  // "llama", "qwen2", "qwen3" (a mistral without sliding window is read as "llama")
  int64_t vocab_size = 0;
  int64_t width = 0;  // hidden_size
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t mlp_width = 0;  // intermediate_size
  int64_t max_positions = 2048;
  double norm_eps = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  bool qkv_bias = false;
  bool o_bias = false;
  bool qk_norm = false;
  bool tied_head = false;
  std::string dtype = "float32";  // of the stored weights: "float32", "bfloat16", "float16"
  std::vector<int64_t> eos_ids;
  int64_t bos_id = -1;  // -1: none
  int64_t pad_id = -1;  // -1: none
  GenerationDefaults generation;
};

// Reads config.json and, where there is one, generation_config.json, as transformers 4 and 5 write them. Throws Error naming
// the file and the key, or the feature that this program does not implement (mixture of experts, adapters, vision, quantised
// weights, sliding windows that matter, biases, other activations): none is ignored.
ModelConfig read_model_config(const std::string& folder);
// Writes config.json and generation_config.json so that transformers and vLLM read them.
void write_model_config(const std::string& folder, const ModelConfig& config);
// Copies tokenizer.json, tokenizer_config.json, special_tokens_map.json, chat_template.jinja, vocab and merges where present.
void copy_tokenizer_files(const std::string& from, const std::string& to);

// Every tensor of the network by its Hugging Face name, with its shape.
std::map<std::string, std::vector<int64_t>> tensor_shapes(const ModelConfig& config);
// Throws Error naming the key if a size is not positive, heads do not divide, or head_dim is odd or more than the kernels hold.
void check_model_config(const ModelConfig& config);

}  // namespace harness
