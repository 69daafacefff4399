#include "harness/model/gguf/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "harness/core/bf16.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/model/gguf/dequantise.h"
#include "harness/model/gguf/fp16.h"
#include "harness/model/gguf/import.h"
#include "harness/model/gguf/testing.h"
#include "harness/model/gguf/tokenizer.h"

namespace harness {
namespace {

using gguf_test::as_bytes;
using gguf_test::GgufBytes;
using gguf_test::tiny_llama;
using testing::HasSubstr;

std::string gguf_refusal(const std::string& bytes) {
  return error_of([&] {
    const GgufFile file(as_bytes(bytes), "x.gguf");
    (void)gguf_model_config(file);
    (void)gguf_tokenizer_json(file);
  });
}

TEST(GgufFile, ReadsMetadataAndTensors) {
  const std::string bytes = tiny_llama().bytes();
  const GgufFile file(as_bytes(bytes), "x.gguf");
  EXPECT_EQ(file.text("general.architecture"), "llama");
  EXPECT_EQ(file.integer("llama.embedding_length"), 8);
  EXPECT_EQ(file.number("llama.attention.layer_norm_rms_epsilon"), 1e-5) << "the shortest decimal of the float";
  EXPECT_EQ(file.value("tokenizer.ggml.tokens").size(), 5u);
  EXPECT_EQ(file.tensor("blk.0.ffn_down.weight").shape, (std::vector<int64_t>{8, 12}));
  EXPECT_EQ(dequantise_row(file.tensor("blk.0.ffn_down.weight"), 3)[2], gguf_test::tiny_value(3, 2));
}

TEST(GgufFile, RefusesEveryBeginningOfItself) {
  const std::string bytes = tiny_llama().bytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::string message = gguf_refusal(bytes.substr(0, length));
    ASSERT_THAT(message, HasSubstr("x.gguf: ")) << length;
    ASSERT_EQ(message.find('\n'), std::string::npos);
  }
  EXPECT_EQ(gguf_refusal(bytes), "");
}

// Damage anywhere is an Error or goes unnoticed (a weight's own bits); it never reads out of bounds (the sanitiser builds
// watch).
TEST(GgufFile, SurvivesRandomDamage) {
  const std::string whole = tiny_llama().bytes();
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 1 + round % 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    refused += gguf_refusal(bytes).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
}

TEST(GgufFile, NamesWhatItRefuses) {
  EXPECT_THAT(gguf_refusal("GGML...."), HasSubstr("expected a GGUF file"));
  EXPECT_THAT(gguf_refusal("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n"),
              HasSubstr("found a Git LFS pointer"));
  std::string bytes = tiny_llama().bytes();
  bytes[4] = 9;
  EXPECT_THAT(gguf_refusal(bytes), HasSubstr("expected GGUF version 2 or 3, found 9"));
  EXPECT_THAT(gguf_refusal(tiny_llama("gemma").bytes()),
              HasSubstr("general.architecture: \"gemma\" is not supported, expected \"llama\""));
  EXPECT_THAT(gguf_refusal(tiny_llama("llama", "falcon").bytes()), HasSubstr("pre-tokenizer \"falcon\" is not supported"));
  EXPECT_THAT(gguf_refusal(tiny_llama("llama", "smollm", {"a c"}).bytes()),
              HasSubstr("tokenizer.ggml.merges: expected two tokens"));
  GgufBytes unknown = tiny_llama();
  unknown.tensor("extra", {32}, 19, std::string(32, '\0'));
  EXPECT_THAT(gguf_refusal(unknown.bytes()),
              HasSubstr("tensor extra: tensor type 19 is not supported, expected one of F32, F16"));
  GgufBytes extra = tiny_llama();
  extra.floats("blk.0.attn_q.bias", {8}, std::vector<float>(8));
  EXPECT_THAT(gguf_refusal(extra.bytes()), HasSubstr("tensor blk.0.attn_q.bias: expected only tensors of a Llama model"));
  GgufBytes experts = tiny_llama();
  experts.u32("llama.expert_count", 8);
  EXPECT_THAT(gguf_refusal(experts.bytes()), HasSubstr("mixture of experts is not supported"));
  GgufBytes twice = tiny_llama();
  twice.floats("output_norm.weight", {8}, std::vector<float>(8));
  EXPECT_THAT(gguf_refusal(twice.bytes()), HasSubstr("expected each tensor once"));
}

TEST(GgufFile, RefusesMoreBlocksThanItHasTensorsFor) {
  std::string bytes = tiny_llama().bytes();
  const uint32_t many = 90000;
  std::memcpy(bytes.data() + bytes.find("llama.block_count") + std::strlen("llama.block_count") + 4, &many, sizeof many);
  EXPECT_THAT(gguf_refusal(bytes), HasSubstr("llama.block_count: expected at most as many blocks as the file's"));
}

TEST(GgufFile, RefusesAMatrixOfAnotherShape) {
  GgufBytes file = tiny_llama();
  std::string bytes = file.bytes();
  const size_t place = bytes.find("blk.0.attn_q.weight") + std::strlen("blk.0.attn_q.weight") + 4;
  bytes[place] = 4;  // 4 columns instead of 8
  EXPECT_THAT(gguf_refusal(bytes), HasSubstr("tensor blk.0.attn_q.weight: expected shape [8,8], found [8,4]"));
}

TEST(Dequantise, GivesTheBitsOfTheGgufPackageForEveryType) {
  const Json golden = parse_json(read_file(std::string(MEDSBENCH_TEST_DATA) + "/gguf_blocks.json"));
  const auto unhex = [](const std::string& hex) {
    std::string bytes;
    for (size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
  };
  for (const auto& [type, block] : golden.items()) {
    GgufBytes bytes;
    bytes.tensor("t", {block["length"].get<uint64_t>()}, block["number"].get<uint32_t>(),
                 unhex(block["packed"].get<std::string>()));
    const std::string text = bytes.bytes();
    const GgufFile file(as_bytes(text), "x.gguf");
    EXPECT_EQ(file.tensor("t").type.name, type);
    const auto values = dequantise_row(file.tensor("t"), 0);
    const std::string found(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    EXPECT_TRUE(found == unhex(block["bits"].get<std::string>())) << type;
  }
  EXPECT_EQ(golden.size(), 13u);
}

TEST(HalfPrecision, EveryFp16AndBf16ValueComesBackFromItsFloat) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    ASSERT_TRUE(std::isnan(float_from_fp16(half)) || fp16_from_float(float_from_fp16(half)) == half) << bits;
    ASSERT_TRUE(std::isnan(to_float(Bf16{half})) || from_float<Bf16>(to_float(Bf16{half})).bits == half) << bits;
  }
}

TEST(HalfPrecision, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(float_from_fp16(fp16_from_float(1.0F + 0x1p-11F)), 1.0F);            // halfway, even below
  EXPECT_EQ(float_from_fp16(fp16_from_float(1.0F + 0x3p-11F)), 1.0F + 0x1p-9F);  // halfway, even above
  EXPECT_EQ(float_from_fp16(fp16_from_float(0x1.8p-25F)), 0x1p-24F);             // subnormal
  EXPECT_EQ(float_from_fp16(fp16_from_float(0x1p-25F)), 0.0F);                   // halfway to the smallest
  EXPECT_TRUE(std::isinf(float_from_fp16(fp16_from_float(65520.0F))));
  EXPECT_EQ(float_from_fp16(fp16_from_float(65519.0F)), 65504.0F);
  EXPECT_EQ(to_float(from_float<Bf16>(1.0F + 0x1p-8F)), 1.0F);
  EXPECT_TRUE(std::isnan(to_float(from_float<Bf16>(std::nanf("")))));
}

}  // namespace
}  // namespace harness
