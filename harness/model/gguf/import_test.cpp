#include "harness/model/gguf/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/safetensors.h"
#include "harness/core/testing.h"
#include "harness/model/gguf/testing.h"

namespace harness {
namespace {

namespace fs = std::filesystem;
using gguf_test::tiny_llama;
using gguf_test::tiny_value;

class ImportGguf : public testing::Test {
 protected:
  // Imports the file into a folder; its path.
  std::string import_tiny(const gguf_test::GgufBytes& file, const GgufImportOptions& options = {}) const {
    import_gguf(scratch_.write("tiny.gguf", file.bytes()), scratch_.path("tiny"), options);
    return scratch_.path("tiny");
  }
  const ScratchFolder scratch_;
};

float element(const SafetensorsEntry& entry, int64_t row, int64_t column) {
  float value = 0;
  std::memcpy(&value, entry.bytes.data() + static_cast<size_t>(row * entry.shape[1] + column) * sizeof(float), sizeof(float));
  return value;
}

TEST_F(ImportGguf, WritesAFolderThatReadsBack) {
  const std::string folder = import_tiny(tiny_llama());
  const ModelConfig config = read_model_config(folder);
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.head_dim, 4);
  EXPECT_EQ(config.rope_theta, 100000);
  EXPECT_EQ(config.norm_eps, 1e-5);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(config.eos_ids, std::vector<int64_t>{0});
  const SafetensorsFile weights(folder + "/model.safetensors");
  EXPECT_EQ(weights.entries().size(), tensor_shapes(config).size());
  EXPECT_EQ(element(weights.entry("model.layers.0.mlp.down_proj.weight"), 5, 11), tiny_value(5, 11));
}

// Heads of 4: llama.cpp stores rows 0, 2, 1, 3 of each head.
TEST_F(ImportGguf, PutsTheRowsOfQueryAndKeyBackInOrder) {
  const SafetensorsFile weights(import_tiny(tiny_llama()) + "/model.safetensors");
  const int64_t order[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (int64_t row = 0; row < 8; ++row) {
    EXPECT_EQ(element(weights.entry("model.layers.0.self_attn.q_proj.weight"), row, 1), tiny_value(order[row], 1));
    EXPECT_EQ(element(weights.entry("model.layers.0.self_attn.o_proj.weight"), row, 1), tiny_value(row, 1));
    if (row >= 4) continue;
    EXPECT_EQ(element(weights.entry("model.layers.0.self_attn.k_proj.weight"), row, 1), tiny_value(order[row], 1));
  }
}

TEST_F(ImportGguf, WritesTheTokenizerWithItsPreTokenizerAndAddedTokens) {
  const std::string folder = import_tiny(tiny_llama());
  const Json tokenizer = parse_json(read_file(folder + "/tokenizer.json"));
  EXPECT_EQ(tokenizer["model"]["vocab"]["ab"], 3);
  EXPECT_EQ(tokenizer["model"]["merges"], Json::array({"a b"}));
  EXPECT_EQ(tokenizer["pre_tokenizer"]["pretokenizers"][0]["type"], "Digits");
  ASSERT_EQ(tokenizer["added_tokens"].size(), 2u);
  EXPECT_EQ(tokenizer["added_tokens"][0]["content"], "<|end|>");
  EXPECT_EQ(tokenizer["added_tokens"][0]["special"], true);
  EXPECT_EQ(tokenizer["added_tokens"][1]["special"], false);
  const Json config = parse_json(read_file(folder + "/tokenizer_config.json"));
  EXPECT_EQ(config["eos_token"], "<|end|>");
  EXPECT_EQ(config["chat_template"], "{{ messages }}");
}

TEST_F(ImportGguf, StoresHalfPrecisionAndShardsWhenAsked) {
  const std::string folder = import_tiny(tiny_llama(), {.dtype = "bfloat16", .max_shard_bytes = 300});
  const Json index = parse_json(read_file(folder + "/model.safetensors.index.json"));
  const std::string shard = index["weight_map"]["model.embed_tokens.weight"];
  const SafetensorsFile weights(folder + "/" + shard);
  EXPECT_EQ(weights.entry("model.embed_tokens.weight").dtype, "BF16");
  EXPECT_EQ(read_model_config(folder).dtype, "bfloat16");
  EXPECT_GT(index["metadata"]["total_size"], 300);
}

TEST_F(ImportGguf, WritesNothingForAFileItRefuses) {
  EXPECT_THROW(import_tiny(tiny_llama("llama", "unheard-of")), Error);
  EXPECT_FALSE(fs::exists(scratch_.path("tiny")));
  EXPECT_THROW(import_gguf(scratch_.path("absent.gguf"), scratch_.path("tiny")), Error);
}

TEST_F(ImportGguf, RecognisesTheFrequenciesOfLlama31) {
  auto file = tiny_llama();
  file.floats("rope_freqs.weight", {2}, {1.0F, 1.0F});  // head_dim 4, theta 1e5: wavelengths 6.3 and 1987
  const std::string folder = import_tiny(file);
  EXPECT_EQ(read_model_config(folder).rope_scaling.type, "llama3");
  auto other = tiny_llama();
  other.floats("rope_freqs.weight", {2}, {1.0F, 3.0F});
  EXPECT_THROW(import_tiny(other), Error);
}

}  // namespace
}  // namespace harness
