#include "harness/model/files/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/files/testing.h"

namespace harness {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

Json llama_json() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", 100},
          {"hidden_size", 32},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"intermediate_size", 64},
          {"max_position_embeddings", 128},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"tie_word_embeddings", true},
          {"bos_token_id", 1},
          {"eos_token_id", {2, 7}},
          {"torch_dtype", "bfloat16"}};
}

ModelConfig read(const Json& json) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  write_file_atomically(folder + "/config.json", json.dump());
  return read_model_config(folder);
}

std::string refusal(const Json& json) {
  return error_of([&] { read(json); });
}

TEST(ModelConfig, ReadsTheLayoutOfTransformers4) {
  const ModelConfig config = read_model_config(golden_folder("tiny-llama"));
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.vocab_size, 64);
  EXPECT_EQ(config.width, 32);
  EXPECT_EQ(config.layers, 3);
  EXPECT_EQ(config.heads, 4);
  EXPECT_EQ(config.kv_heads, 2);
  EXPECT_EQ(config.head_dim, 8);
  EXPECT_EQ(config.mlp_width, 48);
  EXPECT_EQ(config.norm_eps, 1e-5);
  EXPECT_TRUE(config.tied_head);
  EXPECT_FALSE(config.qkv_bias);
  EXPECT_EQ(config.rope_scaling.type, "llama3");
  EXPECT_EQ(config.rope_scaling.factor, 8);
  EXPECT_EQ(config.rope_scaling.original_max_positions, 32);
  EXPECT_EQ(config.dtype, "float32");
  EXPECT_THAT(config.eos_ids, ElementsAre(2));
  EXPECT_EQ(config.bos_id, 1);
  EXPECT_EQ(config.pad_id, 0);
}

TEST(ModelConfig, ReadsTheLayoutOfTransformers5) {
  const ModelConfig config = read_model_config(golden_folder("tiny-qwen3-yarn"));
  EXPECT_EQ(config.architecture, "qwen3");
  EXPECT_TRUE(config.qk_norm);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.rope_scaling.type, "yarn");
  EXPECT_EQ(config.rope_scaling.beta_fast, 16);
  EXPECT_EQ(config.rope_scaling.attention_factor, 1.25);
  EXPECT_FALSE(config.rope_scaling.truncate);
}

TEST(ModelConfig, TakesStopIdsAndSamplingDefaultsFromTheGenerationConfig) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  write_file_atomically(folder + "/config.json", llama_json().dump());
  EXPECT_THAT(read_model_config(folder).eos_ids, ElementsAre(2, 7));
  EXPECT_FALSE(read_model_config(folder).generation.temperature.has_value());
  write_file_atomically(folder + "/generation_config.json",
                        R"({"eos_token_id": [5, 6], "temperature": 0.6, "top_p": 0.95, "top_k": 20})");
  const ModelConfig config = read_model_config(folder);
  EXPECT_THAT(config.eos_ids, ElementsAre(5, 6));
  EXPECT_EQ(config.generation.temperature, 0.6);
  EXPECT_EQ(config.generation.top_p, 0.95);
  EXPECT_EQ(config.generation.top_k, 20);
}

TEST(ModelConfig, IsTheSameAfterWritingAndReading) {
  for (const char* name : {"tiny-llama", "tiny-llama-dynamic", "tiny-llama-linear", "tiny-llama-untied", "tiny-qwen2",
                           "tiny-qwen2-bf16-sharded", "tiny-qwen2-yarn", "tiny-qwen3", "tiny-qwen3-yarn"}) {
    ModelConfig config = read_model_config(golden_folder(name));
    config.generation = {0.7, 0.8, 20};
    const ScratchFolder first_scratch;
    const std::string first = first_scratch.path();
    write_model_config(first, config);
    const std::string once = read_file(first + "/config.json") + read_file(first + "/generation_config.json");
    write_model_config(first, read_model_config(first));
    EXPECT_EQ(read_file(first + "/config.json") + read_file(first + "/generation_config.json"), once) << name;
  }
}

TEST(ModelConfig, ReadsAMistralWithoutAWindowAsALlama) {
  Json json = llama_json();
  json["architectures"] = {"MistralForCausalLM"};
  json["model_type"] = "mistral";
  json["sliding_window"] = nullptr;
  EXPECT_EQ(read(json).architecture, "llama");
  json["sliding_window"] = 128;  // covers every position
  EXPECT_EQ(read(json).architecture, "llama");
  json["sliding_window"] = 64;
  EXPECT_THAT(refusal(json), HasSubstr("sliding-window attention (\"sliding_window\": 64) is not supported"));
}

TEST(ModelConfig, IgnoresAQwenWindowThatIsNotUsedAndRefusesOneThatIs) {
  Json json = llama_json();
  json["architectures"] = {"Qwen2ForCausalLM"};
  json["model_type"] = "qwen2";
  json["sliding_window"] = 64;
  json["use_sliding_window"] = false;
  EXPECT_EQ(read(json).architecture, "qwen2");
  json["use_sliding_window"] = true;
  EXPECT_EQ(read(json).architecture, "qwen2") << "max_window_layers 28 leaves both layers without a window";
  json["max_window_layers"] = 1;
  EXPECT_THAT(refusal(json), HasSubstr("sliding-window attention"));
}

TEST(ModelConfig, NamesTheArchitectureItRefuses) {
  Json json = llama_json();
  json["architectures"] = {"GemmaForCausalLM"};
  json["model_type"] = "gemma";
  EXPECT_THAT(refusal(json), HasSubstr("config.json: architecture \"gemma\" (GemmaForCausalLM) is not supported, expected "
                                       "LlamaForCausalLM"));
}

TEST(ModelConfig, RefusesFeaturesByName) {
  const std::map<std::string, std::pair<Json, std::string>> cases = {
      {"num_local_experts", {8, "mixture of experts"}},
      {"vision_config", {{{"depth", 2}}, "a vision or audio tower (\"vision_config\")"}},
      {"quantization_config", {{{"quant_method", "gptq"}}, "quantised weights (\"quantization_config\": gptq)"}},
      {"attention_bias", {true, "\"attention_bias\": true"}},
      {"mlp_bias", {true, "\"mlp_bias\": true"}},
      {"hidden_act", {"gelu", "hidden_act \"gelu\""}},
      {"partial_rotary_factor", {0.5, "partial rotary embedding"}},
      {"pretraining_tp", {2, "\"pretraining_tp\": 2"}},
      {"rope_scaling", {{{"rope_type", "longrope"}, {"factor", 2}}, "rope type \"longrope\" is not supported"}}};
  for (const auto& [key, value] : cases) {
    Json json = llama_json();
    json[key] = value.first;
    EXPECT_THAT(refusal(json), HasSubstr(value.second)) << key;
  }
  Json json = llama_json();
  json["architectures"] = {"Qwen3MoeForCausalLM"};
  EXPECT_THAT(refusal(json), HasSubstr("mixture of experts (architecture"));
}

TEST(ModelConfig, RefusesAnAdapterFolderByName) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  write_file_atomically(folder + "/adapter_config.json", "{}");
  EXPECT_THAT(error_of([&] { read_model_config(folder); }), HasSubstr("adapter_config.json: LoRA adapters are not supported"));
}

TEST(ModelConfig, NamesTheKeyThatIsMissingOrWrong) {
  const std::map<std::string, Json> wrong = {
      {"vocab_size", nullptr},          {"hidden_size", "wide"},    {"num_hidden_layers", 0},
      {"num_attention_heads", -4},      {"num_key_value_heads", 3}, {"head_dim", 7},
      {"max_position_embeddings", 0},   {"rms_norm_eps", -1.0},     {"rope_theta", 0},
      {"intermediate_size", 1ll << 40}, {"torch_dtype", "float8"}};
  for (const auto& [key, value] : wrong) {
    Json json = llama_json();
    json[key] = value;
    if (value.is_null()) json.erase(key);
    const std::string message = refusal(json);
    EXPECT_THAT(message, HasSubstr(fmt::format("\"{}\"", key)));
    EXPECT_THAT(message, HasSubstr("config.json: "));
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST(ModelConfig, ReadsEverySpellingOfATypeAndListsOfIds) {
  const std::map<std::string, std::string> types = {
      {"torch.float32", "float32"}, {"torch.bfloat16", "bfloat16"}, {"float16", "float16"}, {"auto", "float32"}};
  for (const char* key : {"torch_dtype", "dtype"}) {
    for (const auto& [named, dtype] : types) {
      Json json = llama_json();
      json.erase("torch_dtype");
      json[key] = named;
      EXPECT_EQ(read(json).dtype, dtype) << key << " " << named;
    }
    Json json = llama_json();
    json.erase("torch_dtype");
    json[key] = "torch.int8";
    EXPECT_THAT(refusal(json),
                HasSubstr(fmt::format("\"{}\": expected float32, bfloat16 or float16, found \"torch.int8\"", key)));
  }
  Json json = llama_json();
  json["bos_token_id"] = {1, 7};
  json["pad_token_id"] = Json::array();
  EXPECT_EQ(read(json).bos_id, 1);
  EXPECT_EQ(read(json).pad_id, -1);
}

TEST(ModelConfig, RefusesHeadsThatTheKernelsCannotHold) {
  Json json = llama_json();
  json["head_dim"] = 1024;
  EXPECT_EQ(read(json).head_dim, 1024);
  json["head_dim"] = 2048;
  EXPECT_THAT(refusal(json), HasSubstr("config.json: \"head_dim\": expected at most 1024, found 2048"));
  json.erase("head_dim");
  json["hidden_size"] = 4 * 1026;  // four heads
  EXPECT_THAT(refusal(json), HasSubstr("config.json: \"head_dim\": expected at most 1024, found 1026"));
}

TEST(TensorShapes, CountTheParametersOfSmolLm2) {
  ModelConfig config;
  config.vocab_size = 49152;
  config.width = 576;
  config.layers = 30;
  config.heads = 9;
  config.kv_heads = 3;
  config.head_dim = 64;
  config.mlp_width = 1536;
  config.tied_head = true;
  int64_t parameters = 0;
  for (const auto& [name, shape] : tensor_shapes(config)) {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    parameters += count;
  }
  EXPECT_EQ(parameters, 134515008);  // the published size, 135M
}

}  // namespace
}  // namespace harness
