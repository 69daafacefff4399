#include "harness/model/files/work.h"

#include <gtest/gtest.h>

#include "harness/model/files/testing.h"

namespace harness {
namespace {

// Two layers of width 4, two heads of 3 and one key-value head, MLP of 5, 7 words.
ModelConfig small() {
  ModelConfig config = tiny_config(7);
  config.qk_norm = false;
  config.width = 4;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 3;
  config.mlp_width = 5;
  return config;
}

// One layer: q, k, v 4 x 12, o 6 x 4, gate and up 4 x 10, down 5 x 4, two norms of 4. Beside them the embedding and a norm.
constexpr double kLayer = 48 + 24 + 40 + 20 + 8, kHead = 7 * 4, kNorm = 4;

TEST(Work, CountsParametersByHand) {
  EXPECT_EQ(parameter_count(small()), 2 * kLayer + kHead + kNorm);
  EXPECT_EQ(matrix_count(small()), 2 * kLayer + kHead + kNorm);
  ModelConfig untied = small();
  untied.tied_head = false;
  EXPECT_EQ(parameter_count(untied), 2 * kLayer + 2 * kHead + kNorm);
  EXPECT_EQ(matrix_count(untied), matrix_count(small())) << "an embedding is looked up, not multiplied with";
}

TEST(Work, OfATokenIsTwoOperationsAWeightAndAttention) {
  // Scores and weighted values: two products of 3 for each of two heads, positions and layers.
  EXPECT_EQ(flops_of_token(small(), 10), 2 * (2 * kLayer + kHead + kNorm) + 2 * 2 * (2 * 3) * 2 * 10);
  EXPECT_EQ(kv_bytes_of_position(small(), 2), 2 * 2 * 3 * 2);
}

TEST(Work, OfASequenceIsThatOfItsTokensOneByOne) {
  TokenWork whole;
  whole.add(0, 5);
  whole.add(5, 4);
  whole.logits = 4;
  double one_by_one = 0;
  for (int t = 0; t < 9; ++t) one_by_one += flops_of(small(), {1, t + 1.0, t < 5 ? 0.0 : 1.0});
  EXPECT_DOUBLE_EQ(flops_of(small(), whole), one_by_one);
}

// Qwen2.5's vocabulary, 16384 tokens: a chunk of logits, which becomes its own gradient, against all logits.
TEST(LogitChunks, AreAnEighthOfAllLogitsAtMost) {
  constexpr int64_t kVocabulary = 151936, kTokens = 16384;
  EXPECT_EQ(logit_chunk_rows(kVocabulary, false), 64);
  EXPECT_EQ(logit_chunk_rows(kVocabulary, true), 1536);
  EXPECT_LE(8 * logit_chunk_rows(kVocabulary, true), kTokens);
  EXPECT_EQ(logit_chunk_rows(36, false), 465984);
  EXPECT_EQ(logit_chunk_rows(int64_t{1} << 30, true), 256);
}

}  // namespace
}  // namespace harness
