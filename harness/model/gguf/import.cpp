#include "harness/model/gguf/import.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <optional>
#include <set>
#include <vector>

#include "harness/core/bf16.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/safetensors.h"
#include "harness/model/gguf/dequantise.h"
#include "harness/model/gguf/fp16.h"
#include "harness/model/gguf/tokenizer.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

constexpr const char* kRopeFactors = "rope_freqs.weight";

void read_rope_scaling(const GgufFile& file, ModelConfig& config) {
  const std::string type = file.has("llama.rope.scaling.type") ? file.text("llama.rope.scaling.type") : "none";
  if (type == "none") return;
  if (type != "linear" && type != "yarn") {
    throw Error("{}: llama.rope.scaling.type: \"{}\" is not supported, expected none, linear or yarn", file.name(), type);
  }
  config.rope_scaling.type = type;
  config.rope_scaling.factor = file.number("llama.rope.scaling.factor");
  config.rope_scaling.original_max_positions =
      file.integer_or("llama.rope.scaling.original_context_length", config.max_positions);
}

// What llama.cpp's converter divides the frequency of dimension 2i by for Llama 3.1's rule.
double llama3_divisor(const ModelConfig& config, const RopeScaling& scaling, size_t index) {
  const double exponent = static_cast<double>(2 * index) / static_cast<double>(config.head_dim);
  const double wavelength = 2 * std::numbers::pi * std::pow(config.rope_theta, exponent);
  const auto trained = static_cast<double>(scaling.original_max_positions);
  if (wavelength < trained / scaling.high_freq_factor) return 1;
  if (wavelength > trained / scaling.low_freq_factor) return scaling.factor;
  const double smooth = (trained / wavelength - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
  return 1 / ((1 - smooth) / scaling.factor + smooth);
}

// A file of a Llama 3.1 or 3.2 model holds the divisors only; the published rules are tried until one gives them.
void recognise_rope_factors(const GgufFile& file, ModelConfig& config) {
  if (!file.tensors().contains(kRopeFactors)) return;
  const std::vector<float> found = dequantise_row(file.tensor(kRopeFactors), 0);
  for (const double factor : {8.0, 32.0, 16.0, 4.0}) {
    RopeScaling scaling;
    scaling.type = "llama3";
    scaling.factor = factor;
    scaling.original_max_positions = 8192;
    bool same = static_cast<int64_t>(found.size()) == config.head_dim / 2;
    for (size_t i = 0; same && i < found.size(); ++i) {
      same = std::abs(llama3_divisor(config, scaling, i) / found[i] - 1) < 1e-4;
    }
    if (same) {
      config.rope_scaling = scaling;
      return;
    }
  }
  throw Error("{}: tensor {}: expected the frequencies of Llama 3.1's rule, found others", file.name(), kRopeFactors);
}

void read_special_ids(const GgufFile& file, ModelConfig& config) {
  config.bos_id = file.integer_or("tokenizer.ggml.bos_token_id", -1);
  config.pad_id = file.integer_or("tokenizer.ggml.padding_token_id", -1);
  for (const char* role : {"eos", "eot", "eom"}) {
    const int64_t id = file.integer_or(fmt::format("tokenizer.ggml.{}_token_id", role), -1);
    if (id >= 0 && std::ranges::find(config.eos_ids, id) == config.eos_ids.end()) config.eos_ids.push_back(id);
  }
}

// The GGUF name of a Hugging Face tensor.
std::string gguf_name(const std::string& name) {
  if (name == "model.embed_tokens.weight") return "token_embd.weight";
  if (name == "model.norm.weight") return "output_norm.weight";
  if (name == "lm_head.weight") return "output.weight";
  static const std::map<std::string, std::string> kParts = {
      {"input_layernorm", "attn_norm"}, {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},   {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},   {"self_attn.o_proj", "attn_output"},
      {"mlp.gate_proj", "ffn_gate"},    {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  constexpr std::string_view kPrefix = "model.layers.";
  constexpr std::string_view kSuffix = ".weight";
  const size_t dot = name.find('.', kPrefix.size());
  const std::string layer = name.substr(kPrefix.size(), dot - kPrefix.size());
  const std::string part = name.substr(dot + 1, name.size() - dot - 1 - kSuffix.size());
  return fmt::format("blk.{}.{}.weight", layer, kParts.at(part));
}

// Rows of a head in llama.cpp's order: element i of both halves beside each other. Returns the GGUF row of a row here.
int64_t interleaved_row(int64_t row, int64_t head_dim) {
  const int64_t within = row % head_dim;
  const int64_t half = within / (head_dim / 2);
  const int64_t index = within % (head_dim / 2);
  return row - within + 2 * index + half;
}

using Bytes = std::vector<std::byte>;

void append_numbers(Bytes& bytes, const std::vector<float>& values, const std::string& dtype) {
  const size_t start = bytes.size();
  if (dtype == "float32") {
    bytes.resize(start + values.size() * sizeof(float));
    std::memcpy(bytes.data() + start, values.data(), values.size() * sizeof(float));
    return;
  }
  bytes.resize(start + values.size() * sizeof(uint16_t));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t bits = dtype == "bfloat16" ? from_float<Bf16>(values[i]).bits : fp16_from_float(values[i]);
    if (dtype == "float16" && std::isinf(float_from_fp16(bits))) {
      throw Error("expected numbers within 65504 for float16, found {}; choose float32 or bfloat16", values[i]);
    }
    std::memcpy(bytes.data() + start + i * sizeof(bits), &bits, sizeof(bits));
  }
}

Bytes tensor_bytes(const GgufFile& file, const ModelConfig& config, const std::string& name, const std::string& dtype) {
  const GgufTensor& tensor = file.tensor(gguf_name(name));
  const bool rotated = name.ends_with("q_proj.weight") || name.ends_with("k_proj.weight");
  return with_context(fmt::format("{}: tensor {}", file.name(), tensor.name), [&] {
    Bytes bytes;
    for (int64_t row = 0; row < tensor.rows(); ++row) {
      const auto values = dequantise_row(tensor, rotated ? interleaved_row(row, config.head_dim) : row);
      for (const float value : values) {
        if (!std::isfinite(value)) throw Error("row {}: expected finite numbers, found {}", row, value);
      }
      append_numbers(bytes, values, dtype);
    }
    return bytes;
  });
}

void check_tensors(const GgufFile& file, const ModelConfig& config) {
  std::set<std::string> read = {kRopeFactors};
  for (const auto& [name, shape] : tensor_shapes(config)) {
    const GgufTensor& tensor = file.tensor(gguf_name(name));
    if (tensor.shape != shape) {
      const auto show = [](const std::vector<int64_t>& extents) { return Json(extents).dump(); };
      throw Error("{}: tensor {}: expected shape {}, found {}", file.name(), tensor.name, show(shape), show(tensor.shape));
    }
    read.insert(tensor.name);
  }
  for (const auto& [name, tensor] : file.tensors()) {
    if (!read.contains(name))
      throw Error("{}: tensor {}: expected only tensors of a Llama model, found this one", file.name(), name);
  }
}

struct Shard {
  std::vector<std::string> names;
  int64_t bytes = 0;
};

std::vector<Shard> plan_shards(const ModelConfig& config, const GgufImportOptions& options) {
  std::vector<Shard> shards(1);
  for (const auto& [name, shape] : tensor_shapes(config)) {
    int64_t bytes = options.dtype == "float32" ? 4 : 2;
    for (const int64_t extent : shape) bytes *= extent;
    if (shards.back().bytes + bytes > options.max_shard_bytes && !shards.back().names.empty()) shards.emplace_back();
    shards.back().names.push_back(name);
    shards.back().bytes += bytes;
  }
  return shards;
}

// One shard in memory at a time.
void write_weights(const GgufFile& file, const ModelConfig& config, const std::string& folder,
                   const GgufImportOptions& options) {
  const std::string dtype = options.dtype == "float32" ? "F32" : options.dtype == "bfloat16" ? "BF16" : "F16";
  const auto shapes = tensor_shapes(config);
  const std::vector<Shard> shards = plan_shards(config, options);
  OrderedJson index = {{"metadata", {{"total_size", 0}}}, {"weight_map", OrderedJson::object()}};
  int64_t total = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string shard_name =
        shards.size() == 1 ? "model.safetensors" : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    std::vector<Bytes> alive;
    std::vector<SafetensorsEntry> entries;
    for (const std::string& name : shards[i].names) {
      check_interrupt();
      alive.push_back(tensor_bytes(file, config, name, options.dtype));
      entries.push_back({name, dtype, shapes.at(name), alive.back()});
      index["weight_map"][name] = shard_name;
    }
    total += shards[i].bytes;
    write_safetensors((fs::path(folder) / shard_name).string(), std::move(entries), {{"format", "pt"}});
  }
  if (shards.size() == 1) return;
  index["metadata"]["total_size"] = total;
  write_file_atomically((fs::path(folder) / "model.safetensors.index.json").string(), index.dump(2) + "\n");
}

// JSON text; a token that is not UTF-8 is an Error rather than a replaced character.
std::string json_text(const GgufFile& file, const OrderedJson& json) {
  try {
    return json.dump(2) + "\n";
  } catch (const Json::exception&) {
    throw Error("{}: tokenizer: expected UTF-8 strings, found other bytes", file.name());
  }
}

}  // namespace

ModelConfig gguf_model_config(const GgufFile& file) {
  const std::string architecture = file.text("general.architecture");
  if (architecture != "llama") {
    throw Error("{}: general.architecture: \"{}\" is not supported, expected \"llama\"", file.name(), architecture);
  }
  const int64_t experts = file.integer_or("llama.expert_count", 0);
  if (experts != 0)
    throw Error("{}: llama.expert_count: mixture of experts is not supported, expected 0, found {}", file.name(), experts);
  ModelConfig config;
  config.architecture = "llama";
  config.layers = file.integer("llama.block_count");
  if (config.layers > std::ssize(file.tensors())) {  // before the list of what they would need is made
    throw Error("{}: llama.block_count: expected at most as many blocks as the file's {} tensors, found {}", file.name(),
                file.tensors().size(), config.layers);
  }
  config.max_positions = file.integer("llama.context_length");
  config.width = file.integer("llama.embedding_length");
  config.mlp_width = file.integer("llama.feed_forward_length");
  config.heads = file.integer("llama.attention.head_count");
  config.kv_heads = file.integer_or("llama.attention.head_count_kv", config.heads);
  if (config.heads <= 0)
    throw Error("{}: llama.attention.head_count: expected a positive number, found {}", file.name(), config.heads);
  config.head_dim = file.integer_or("llama.attention.key_length", config.width / config.heads);
  config.rope_theta = file.number_or("llama.rope.freq_base", 10000.0);
  config.norm_eps = file.number("llama.attention.layer_norm_rms_epsilon");
  config.vocab_size = file.tensor("token_embd.weight").rows();
  config.tied_head = !file.tensors().contains("output.weight");
  const int64_t rotated = file.integer_or("llama.rope.dimension_count", config.head_dim);
  if (rotated != config.head_dim) {
    throw Error("{}: llama.rope.dimension_count: partial rotary embedding is not supported, expected {}, found {}", file.name(),
                config.head_dim, rotated);
  }
  if (file.integer_or("llama.attention.sliding_window", config.max_positions) < config.max_positions) {
    throw Error("{}: llama.attention.sliding_window: sliding-window attention is not supported, expected none", file.name());
  }
  read_rope_scaling(file, config);
  read_special_ids(file, config);
  with_context(file.name(), [&] { check_model_config(config); });
  recognise_rope_factors(file, config);
  check_tensors(file, config);
  return config;
}

ModelConfig import_gguf(const std::string& path, const std::string& folder, const GgufImportOptions& options) {
  if (options.dtype != "float32" && options.dtype != "bfloat16" && options.dtype != "float16") {
    throw Error("dtype: expected float32, bfloat16 or float16, found \"{}\"", options.dtype);
  }
  const GgufFile file(path);
  ModelConfig config = gguf_model_config(file);
  config.dtype = options.dtype;
  // Everything that can be refused is looked at before anything is written.
  const std::string tokenizer = json_text(file, gguf_tokenizer_json(file));
  const std::string tokenizer_config = json_text(file, gguf_tokenizer_config(file, config.max_positions));
  make_folder(folder);
  write_file_atomically((fs::path(folder) / "tokenizer.json").string(), tokenizer);
  write_file_atomically((fs::path(folder) / "tokenizer_config.json").string(), tokenizer_config);
  write_weights(file, config, folder, options);
  write_model_config(folder, config);  // last: a folder without config.json is not a model yet
  return config;
}

}  // namespace harness
