#include "harness/model/fused_decoder.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "harness/model/testing.h"

namespace harness {
namespace {

struct Sequences {
  // `rows` responses of different lengths to one prompt, their keys and values in a store each.
  Sequences(const Transformer& model, int64_t count) : rows(count) {
    const std::vector<int64_t> prompt = random_tokens(1, 9);
    const int64_t layers = model.config().layers;
    prompts = KvStore(layers, {9}, model.heads(), torch::kFloat32);
    own = KvStore(layers, std::vector<int64_t>(static_cast<size_t>(rows), 40), model.heads(), torch::kFloat32);
    PackedBatch batch;
    batch.add(prompt);
    model.prefill(batch, {&prompts});
  }
  // Token `t` of every row: row r has begun at step r % 7 only.
  void at(int64_t t) {
    ids.clear(), positions.clear(), places.clear();
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t length = t - r % 7;
      if (length < 0) continue;
      ids.push_back(random_tokens(static_cast<uint64_t>(100 + r), 40)[static_cast<size_t>(t)]);
      positions.push_back(9 + length);
      places.push_back({&own, r, length, &prompts, 0, 9});
    }
  }
  int64_t rows;
  KvStore prompts, own;
  std::vector<int64_t> ids, positions;
  std::vector<RowPlace> places;
};

void expect_the_same(const ModelConfig& config, int64_t rows) {
  const Transformer model = lively_model(config, 5);
  ASSERT_TRUE(FusedDecoder::fits(model));
  const FusedDecoder fused(model);
  Sequences ours(model, rows), theirs(model, rows);
  for (int64_t t = 0; t < 30; ++t) {
    ours.at(t), theirs.at(t);
    std::vector<torch::Tensor> our_layers, their_layers;
    const torch::Tensor logits = fused.decode(ours.ids, ours.positions, ours.places, &our_layers);
    const torch::Tensor hidden = model.decode(theirs.ids, theirs.positions, theirs.places, &their_layers);
    ASSERT_TRUE(torch::equal(logits, model.logits(hidden).slice(0, 0, logits.size(0)))) << "token " << t;
    ASSERT_EQ(our_layers.size(), their_layers.size());
    for (size_t l = 0; l < our_layers.size(); ++l) {
      ASSERT_TRUE(torch::equal(our_layers[l], their_layers[l].slice(0, 0, logits.size(0)))) << "token " << t << " layer " << l;
    }
  }
}

TEST(FusedDecoder, GivesTheLogitsAndLayersOfDecodeBitForBit) {
  ModelConfig nano = two_layers(true, false, true);
  nano.head_dim = 16, nano.width = 64, nano.mlp_width = 192;
  expect_the_same(nano, 61);
  expect_the_same(two_layers(), 1);
  expect_the_same(two_layers(false, true), 50);
}

TEST(FusedDecoder, GivesTheSameOnMoreThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  expect_the_same(two_layers(false, true, true), 70);
  at::set_num_threads(before);
}

TEST(FusedDecoder, IsForSmallModelsInFp32) {
  Numerics bf16;
  bf16.dtype = torch::kBFloat16;
  EXPECT_FALSE(FusedDecoder::fits(Transformer(two_layers(), bf16)));
  ModelConfig large = two_layers();
  large.vocab_size = 100'000;
  EXPECT_FALSE(FusedDecoder::fits(Transformer(large, {})));
}

}  // namespace
}  // namespace harness
