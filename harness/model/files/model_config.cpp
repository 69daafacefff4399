#include "harness/model/files/model_config.h"

#include <filesystem>
#include <initializer_list>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/cpu/row_kernels.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

bool has(const Json& object, const std::string& key) { return object.contains(key) && !object.at(key).is_null(); }

int64_t integer_or(const Json& object, const std::string& key, int64_t otherwise) {
  return has(object, key) ? integer_field(object, key) : otherwise;
}

double number_or(const Json& object, const std::string& key, double otherwise) {
  return has(object, key) ? number_field(object, key) : otherwise;
}

bool boolean_or(const Json& object, const std::string& key, bool otherwise) {
  return has(object, key) ? boolean_field(object, key) : otherwise;
}

std::string text_or(const Json& object, const std::string& key, const std::string& otherwise) {
  return has(object, key) ? text_field(object, key) : otherwise;
}

std::optional<double> optional_number(const Json& object, const std::string& key) {
  return has(object, key) ? std::optional<double>(number_field(object, key)) : std::nullopt;
}

[[noreturn]] void refuse(const std::string& feature, const std::string& expected) {
  throw Error("{} is not supported, expected {}", feature, expected);
}

// Whether a key holds anything but null, false, 0, "" or an empty list.
bool is_set(const Json& json, const std::string& key) {
  if (!has(json, key)) return false;
  const Json& value = json.at(key);
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get<std::string>().empty();
  return !value.empty();
}

// Features that change the network and are not implemented: each is refused by its name.
void refuse_unknown_features(const Json& json) {
  for (const char* key : {"num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size"}) {
    if (is_set(json, key)) refuse(fmt::format("mixture of experts (\"{}\": {})", key, json.at(key).dump()), "a dense model");
  }
  for (const char* key : {"vision_config", "visual", "audio_config"}) {
    if (is_set(json, key)) refuse(fmt::format("a vision or audio tower (\"{}\")", key), "a text model");
  }
  if (is_set(json, "quantization_config")) {
    const Json& value = json.at("quantization_config");
    const std::string method = value.is_object() ? text_or(value, "quant_method", "unnamed") : "unnamed";
    refuse(fmt::format("quantised weights (\"quantization_config\": {})", method), "float32, bfloat16 or float16 weights");
  }
  for (const char* key : {"mlp_bias", "rope_interleaved", "use_mrope", "clip_qkv", "attn_logit_softcapping",
                          "final_logit_softcapping", "logits_scaling", "embedding_multiplier", "residual_multiplier",
                          "attention_multiplier", "no_rope_layers", "num_nextn_predict_layers", "cross_attention_layers"}) {
    if (is_set(json, key)) refuse(fmt::format("\"{}\": {}", key, json.at(key).dump()), "none");
  }
  const std::string activation = text_or(json, "hidden_act", "silu");
  if (activation != "silu" && activation != "swish") refuse(fmt::format("hidden_act \"{}\"", activation), "\"silu\"");
  const double rotary = number_or(json, "partial_rotary_factor", 1.0);
  if (rotary != 1.0) refuse(fmt::format("partial rotary embedding (\"partial_rotary_factor\": {})", rotary), "1");
  const int64_t pretraining_tp = integer_or(json, "pretraining_tp", 1);
  if (pretraining_tp > 1) refuse(fmt::format("\"pretraining_tp\": {}", pretraining_tp), "1");
  if (is_set(json, "attention_bias")) refuse("\"attention_bias\": true (it puts a bias on o_proj)", "false");
}

// "llama", "qwen2" or "qwen3" of a config.json; its model_type.
std::string read_architecture(const Json& json) {
  std::string named;
  if (has(json, "architectures")) {
    const Json& list = json.at("architectures");
    if (!list.is_array() || list.empty() || !list[0].is_string()) throw Error("\"architectures\": expected a list of names");
    named = list[0].get<std::string>();
  }
  const std::string type = text_or(json, "model_type", "");
  const std::string shown = named.empty() ? fmt::format("\"{}\"", type) : fmt::format("\"{}\" ({})", type, named);
  if (is_set(json, "text_config")) refuse(fmt::format("a vision or audio model, architecture {},", shown), "a text model");
  for (const char* moe : {"moe", "Moe", "MoE", "mixtral"}) {
    if (type.find(moe) != std::string::npos || named.find(moe) != std::string::npos) {
      refuse(fmt::format("mixture of experts (architecture {})", shown), "a dense model");
    }
  }
  static const std::map<std::string, std::string> known = {{"llama", "LlamaForCausalLM"},
                                                           {"mistral", "MistralForCausalLM"},
                                                           {"qwen2", "Qwen2ForCausalLM"},
                                                           {"qwen3", "Qwen3ForCausalLM"}};
  for (const auto& [model_type, architecture] : known) {
    if (named.empty() ? type == model_type : named == architecture && (type == model_type || type.empty())) return model_type;
  }
  throw Error(
      "architecture {} is not supported, expected LlamaForCausalLM, MistralForCausalLM (without sliding window), "
      "Qwen2ForCausalLM or Qwen3ForCausalLM",
      shown);
}

// A window that covers every position changes nothing; any other is refused.
void refuse_sliding_window(const Json& json, const std::string& type, const ModelConfig& config) {
  const bool qwen = type == "qwen2" || type == "qwen3";
  const bool used = qwen ? boolean_or(json, "use_sliding_window", false) : has(json, "sliding_window");
  const int64_t window = integer_or(json, "sliding_window", config.max_positions);
  const bool reaches = qwen ? integer_or(json, "max_window_layers", 28) < config.layers : true;
  if (used && reaches && window < config.max_positions && type != "llama") {
    refuse(fmt::format("sliding-window attention (\"sliding_window\": {})", window),
           fmt::format("none, or one of max_position_embeddings ({})", config.max_positions));
  }
  if (!has(json, "layer_types")) return;
  const Json& kinds = json.at("layer_types");
  if (!kinds.is_array()) throw Error("\"layer_types\": expected a list");
  for (const Json& kind : kinds) {
    if (kind == "sliding_attention" && window >= config.max_positions && used) continue;
    if (kind != "full_attention") refuse(fmt::format("\"layer_types\": {}", kind.dump()), "\"full_attention\" in every layer");
  }
}

void read_rope_scaling(const Json& rope, ModelConfig& config) {
  RopeScaling& scaling = config.rope_scaling;
  for (const auto& [key, value] : rope.items()) {
    if (value.is_object()) refuse(fmt::format("rotary parameters for each layer type (\"{}\")", key), "one set for all layers");
  }
  config.rope_theta = number_or(rope, "rope_theta", config.rope_theta);
  if (number_or(rope, "partial_rotary_factor", 1.0) != 1.0) refuse("partial rotary embedding", "1");
  if (is_set(rope, "mrope_section")) refuse("multimodal rotary embedding (\"mrope_section\")", "a text model");
  const std::string type = text_or(rope, "rope_type", text_or(rope, "type", "default"));
  if (type == "default") return;
  if (type != "linear" && type != "dynamic" && type != "llama3" && type != "yarn") {
    refuse(fmt::format("rope type \"{}\"", type), "default, linear, dynamic, llama3 or yarn");
  }
  scaling.type = type;
  scaling.original_max_positions = integer_or(rope, "original_max_position_embeddings", config.max_positions);
  // yarn alone may leave the factor out: then it is the ratio of the two lengths.
  if (type == "yarn" && !has(rope, "factor")) {
    scaling.factor = static_cast<double>(config.max_positions) / static_cast<double>(scaling.original_max_positions);
  } else {
    scaling.factor = number_field(rope, "factor");
  }
  if (type == "llama3") {
    scaling.low_freq_factor = number_field(rope, "low_freq_factor");
    scaling.high_freq_factor = number_field(rope, "high_freq_factor");
  }
  if (type == "yarn") {
    scaling.beta_fast = number_or(rope, "beta_fast", scaling.beta_fast);
    scaling.beta_slow = number_or(rope, "beta_slow", scaling.beta_slow);
    scaling.truncate = boolean_or(rope, "truncate", true);
    scaling.attention_factor = optional_number(rope, "attention_factor");
    scaling.mscale = optional_number(rope, "mscale");
    scaling.mscale_all_dim = optional_number(rope, "mscale_all_dim");
  }
}

void read_rope(const Json& json, ModelConfig& config) {
  config.rope_theta = number_or(json, "rope_theta", 10000.0);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!has(json, key)) continue;
    if (!json.at(key).is_object()) throw Error("\"{}\": expected a table, found {}", key, json.at(key).dump());
    with_context(fmt::format("\"{}\"", key), [&] { read_rope_scaling(json.at(key), config); });
  }
}

std::vector<int64_t> read_ids(const Json& json, const std::string& key) {
  if (!json.at(key).is_array()) return {integer_field(json, key)};
  std::vector<int64_t> ids;
  for (const Json& id : json.at(key)) {
    if (!id.is_number_integer()) throw Error("\"{}\": expected ids, found {}", key, id.dump());
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

// The first id of a list, as generation takes it.
int64_t read_first_id(const Json& json, const std::string& key, int64_t otherwise) {
  if (!has(json, key)) return otherwise;
  const std::vector<int64_t> ids = read_ids(json, key);
  return ids.empty() ? otherwise : ids.front();
}

void read_special_ids(const Json& json, ModelConfig& config) {
  if (has(json, "eos_token_id")) config.eos_ids = read_ids(json, "eos_token_id");
  config.bos_id = read_first_id(json, "bos_token_id", config.bos_id);
  config.pad_id = read_first_id(json, "pad_token_id", config.pad_id);
}

// "auto" leaves it to the weights' file; "torch.float32" is how some writers name it.
std::string read_dtype(const Json& json) {
  const std::string key = has(json, "dtype") ? "dtype" : "torch_dtype";
  const std::string named = text_or(json, key, "auto");
  const std::string dtype = named.starts_with("torch.") ? named.substr(6) : named;
  if (dtype == "auto") return "float32";
  if (dtype != "float32" && dtype != "bfloat16" && dtype != "float16") {
    throw Error("\"{}\": expected float32, bfloat16 or float16, found \"{}\"", key, named);
  }
  return dtype;
}

ModelConfig parse_config(const Json& json) {
  if (!json.is_object()) throw Error("expected a table of keys, found {}", json.type_name());
  const std::string type = read_architecture(json);
  refuse_unknown_features(json);
  ModelConfig config;
  config.architecture = type == "mistral" ? "llama" : type;
  config.vocab_size = integer_field(json, "vocab_size");
  config.width = integer_field(json, "hidden_size");
  config.layers = integer_field(json, "num_hidden_layers");
  config.heads = integer_field(json, "num_attention_heads");
  config.mlp_width = integer_field(json, "intermediate_size");
  const bool qwen = type == "qwen2" || type == "qwen3";
  // The defaults below are those of transformers' configuration classes.
  config.kv_heads = integer_or(json, "num_key_value_heads", type == "mistral" ? 8 : config.heads);
  if (config.heads <= 0) throw Error("\"num_attention_heads\": expected a positive number, found {}", config.heads);
  config.head_dim = integer_or(json, "head_dim", type == "qwen3" ? 128 : config.width / config.heads);
  config.max_positions = integer_or(json, "max_position_embeddings", qwen ? 32768 : type == "mistral" ? 131072 : 2048);
  config.norm_eps = number_or(json, "rms_norm_eps", 1e-6);
  config.qkv_bias = type == "qwen2";
  config.qk_norm = type == "qwen3";
  config.tied_head = boolean_or(json, "tie_word_embeddings", false);
  config.dtype = read_dtype(json);
  read_rope(json, config);
  read_special_ids(json, config);
  check_model_config(config);
  refuse_sliding_window(json, type, config);
  return config;
}

void read_generation(const Json& json, ModelConfig& config) {
  if (!json.is_object()) throw Error("expected a table of keys, found {}", json.type_name());
  read_special_ids(json, config);
  config.generation.temperature = optional_number(json, "temperature");
  config.generation.top_p = optional_number(json, "top_p");
  if (has(json, "top_k")) config.generation.top_k = integer_field(json, "top_k");
}

}  // namespace

void check_model_config(const ModelConfig& config) {
  // Far above every published model; larger numbers are damage, and products of them stay within 64 bits.
  static constexpr int64_t kLargest = int64_t{1} << 30;
  const auto positive = [](const char* key, int64_t value) {
    if (value <= 0 || value > kLargest) throw Error("\"{}\": expected a number in 1..{}, found {}", key, kLargest, value);
  };
  positive("vocab_size", config.vocab_size);
  positive("hidden_size", config.width);
  positive("num_attention_heads", config.heads);
  positive("num_key_value_heads", config.kv_heads);
  positive("head_dim", config.head_dim);
  positive("intermediate_size", config.mlp_width);
  positive("max_position_embeddings", config.max_positions);
  if (config.layers <= 0 || config.layers > 100000) {
    throw Error("\"num_hidden_layers\": expected a number in 1..100000, found {}", config.layers);
  }
  if (config.heads % config.kv_heads != 0) {
    throw Error("\"num_key_value_heads\": expected a divisor of num_attention_heads ({}), found {}", config.heads,
                config.kv_heads);
  }
  if (config.head_dim % 2 != 0) throw Error("\"head_dim\": expected an even number, found {}", config.head_dim);
  if (config.head_dim > kernels::kMostHeadDim) {
    throw Error("\"head_dim\": expected at most {}, found {}", kernels::kMostHeadDim, config.head_dim);
  }
  if (config.heads * config.head_dim > kLargest)
    throw Error("\"head_dim\": {} heads of {} are too wide", config.heads, config.head_dim);
  if (!(config.norm_eps > 0)) throw Error("\"rms_norm_eps\": expected a positive number, found {}", config.norm_eps);
  if (!(config.rope_theta > 1)) throw Error("\"rope_theta\": expected a number above 1, found {}", config.rope_theta);
  const RopeScaling& scaling = config.rope_scaling;
  if (!(scaling.factor > 0)) throw Error("\"factor\": expected a positive number, found {}", scaling.factor);
  if (scaling.type == "llama3" && !(scaling.high_freq_factor > scaling.low_freq_factor && scaling.low_freq_factor > 0)) {
    throw Error("\"high_freq_factor\": expected a number above low_freq_factor ({}), found {}", scaling.low_freq_factor,
                scaling.high_freq_factor);
  }
  if ((scaling.type == "llama3" || scaling.type == "yarn") && scaling.original_max_positions <= 0) {
    throw Error("\"original_max_position_embeddings\": expected a positive number, found {}", scaling.original_max_positions);
  }
}

ModelConfig read_model_config(const std::string& folder) {
  const fs::path root(folder);
  if (!fs::is_directory(root)) throw Error("{}: expected a model folder, found none", folder);
  if (fs::exists(root / "adapter_config.json")) {
    throw Error("{}: LoRA adapters are not supported, expected a folder with merged weights",
                (root / "adapter_config.json").string());
  }
  const std::string path = (root / "config.json").string();
  const std::string text = read_file(path);
  ModelConfig config = with_context(path, [&] { return parse_config(parse_json(text)); });
  const std::string generation = (root / "generation_config.json").string();
  if (fs::exists(generation)) {
    with_context(generation, [&] { read_generation(parse_json(read_file(generation)), config); });
  }
  return config;
}

}  // namespace harness
