#include <filesystem>
#include <initializer_list>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/cpu/row_kernels.h"
#include "harness/model/files/model_config.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

OrderedJson rope_scaling_json(const RopeScaling& scaling) {
  if (scaling.type == "none") return nullptr;
  OrderedJson json = {{"rope_type", scaling.type}, {"factor", scaling.factor}};
  const bool trained = scaling.type == "llama3" || scaling.type == "yarn";
  if (trained) json["original_max_position_embeddings"] = scaling.original_max_positions;
  if (scaling.type == "llama3") {
    json["low_freq_factor"] = scaling.low_freq_factor;
    json["high_freq_factor"] = scaling.high_freq_factor;
  }
  if (scaling.type == "yarn") {
    json["beta_fast"] = scaling.beta_fast;
    json["beta_slow"] = scaling.beta_slow;
    if (!scaling.truncate) json["truncate"] = false;
    if (scaling.attention_factor) json["attention_factor"] = *scaling.attention_factor;
    if (scaling.mscale) json["mscale"] = *scaling.mscale;
    if (scaling.mscale_all_dim) json["mscale_all_dim"] = *scaling.mscale_all_dim;
  }
  return json;
}

void add_special_ids(OrderedJson& json, const ModelConfig& config) {
  json["bos_token_id"] = config.bos_id < 0 ? OrderedJson(nullptr) : OrderedJson(config.bos_id);
  json["eos_token_id"] = nullptr;
  if (config.eos_ids.size() == 1) json["eos_token_id"] = config.eos_ids.front();
  if (config.eos_ids.size() > 1) json["eos_token_id"] = config.eos_ids;
  json["pad_token_id"] = config.pad_id < 0 ? OrderedJson(nullptr) : OrderedJson(config.pad_id);
}

std::string class_name(const std::string& architecture) {
  if (architecture == "llama") return "LlamaForCausalLM";
  return architecture == "qwen2" ? "Qwen2ForCausalLM" : "Qwen3ForCausalLM";
}

}  // namespace

void write_model_config(const std::string& folder, const ModelConfig& config) {
  check_model_config(config);
  OrderedJson json;
  json["architectures"] = OrderedJson::array({class_name(config.architecture)});
  json["model_type"] = config.architecture;
  json["vocab_size"] = config.vocab_size;
  json["hidden_size"] = config.width;
  json["intermediate_size"] = config.mlp_width;
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = config.heads;
  json["num_key_value_heads"] = config.kv_heads;
  json["head_dim"] = config.head_dim;
  json["hidden_act"] = "silu";
  json["max_position_embeddings"] = config.max_positions;
  json["rms_norm_eps"] = config.norm_eps;
  json["rope_theta"] = config.rope_theta;
  json["rope_scaling"] = rope_scaling_json(config.rope_scaling);
  json["tie_word_embeddings"] = config.tied_head;
  json["attention_dropout"] = 0.0;
  if (config.architecture != "qwen2") json["attention_bias"] = false;
  if (config.architecture == "llama") json["mlp_bias"] = false;
  if (config.architecture != "llama") json["use_sliding_window"] = false;
  json["torch_dtype"] = config.dtype;
  add_special_ids(json, config);
  make_folder(folder);
  write_file_atomically((fs::path(folder) / "config.json").string(), json.dump(2) + "\n");

  OrderedJson generation;
  add_special_ids(generation, config);
  const GenerationDefaults& defaults = config.generation;
  if (defaults.temperature || defaults.top_p || defaults.top_k) generation["do_sample"] = true;
  if (defaults.temperature) generation["temperature"] = *defaults.temperature;
  if (defaults.top_p) generation["top_p"] = *defaults.top_p;
  if (defaults.top_k) generation["top_k"] = *defaults.top_k;
  write_file_atomically((fs::path(folder) / "generation_config.json").string(), generation.dump(2) + "\n");
}

void copy_tokenizer_files(const std::string& from, const std::string& to) {
  make_folder(to);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "chat_template.jinja", "vocab.json", "merges.txt"}) {
    const fs::path source = fs::path(from) / name;
    if (fs::exists(source)) write_file_atomically((fs::path(to) / name).string(), read_file(source.string()));
  }
}

std::map<std::string, std::vector<int64_t>> tensor_shapes(const ModelConfig& config) {
  std::map<std::string, std::vector<int64_t>> shapes;
  const int64_t query = config.heads * config.head_dim;
  const int64_t key = config.kv_heads * config.head_dim;
  shapes["model.embed_tokens.weight"] = {config.vocab_size, config.width};
  shapes["model.norm.weight"] = {config.width};
  if (!config.tied_head) shapes["lm_head.weight"] = {config.vocab_size, config.width};
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    const std::string attention = prefix + "self_attn.";
    shapes[prefix + "input_layernorm.weight"] = {config.width};
    shapes[prefix + "post_attention_layernorm.weight"] = {config.width};
    shapes[attention + "q_proj.weight"] = {query, config.width};
    shapes[attention + "k_proj.weight"] = {key, config.width};
    shapes[attention + "v_proj.weight"] = {key, config.width};
    shapes[attention + "o_proj.weight"] = {config.width, query};
    if (config.qkv_bias) {
      shapes[attention + "q_proj.bias"] = {query};
      shapes[attention + "k_proj.bias"] = {key};
      shapes[attention + "v_proj.bias"] = {key};
    }
    if (config.o_bias) shapes[attention + "o_proj.bias"] = {config.width};
    if (config.qk_norm) {
      shapes[attention + "q_norm.weight"] = {config.head_dim};
      shapes[attention + "k_norm.weight"] = {config.head_dim};
    }
    shapes[prefix + "mlp.gate_proj.weight"] = {config.mlp_width, config.width};
    shapes[prefix + "mlp.up_proj.weight"] = {config.mlp_width, config.width};
    shapes[prefix + "mlp.down_proj.weight"] = {config.width, config.mlp_width};
  }
  return shapes;
}

}  // namespace harness
