#include "harness/model/transformer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/ops/ops.h"
#include "harness/model/ops/ops_plain.h"
#include "harness/model/testing.h"
#include "harness/model/token_statistics.h"

namespace harness {
namespace {

class GoldenModel : public testing::TestWithParam<std::string> {};

TEST_P(GoldenModel, GivesTheLogitsLogProbsAndEntropiesOfTransformers) {
  const std::string folder = golden_folder(GetParam());
  const Json golden = parse_json(read_file(folder + "/golden.json"));
  const auto model = Transformer::load(folder, {});
  const double tolerance = GetParam().find("bf16") == std::string::npos ? 1e-4 : 1e-3;
  for (const Json& sequence : golden["sequences"]) {
    PackedBatch batch;
    batch.add(sequence["ids"].get<std::vector<int64_t>>());
    const torch::Tensor hidden = model->forward(batch);
    const torch::Tensor logits = model->logits(hidden.slice(0, 0, batch.rows())).slice(0, 0, batch.rows());
    const auto expected = sequence["logits"].get<std::vector<std::vector<float>>>();
    for (int64_t t = 0; t < batch.rows(); ++t) {
      const torch::Tensor row = torch::tensor(expected[static_cast<size_t>(t)]);
      EXPECT_LT((logits[t] - row).abs().max().item<double>(), tolerance) << GetParam() << " position " << t;
    }
    const std::vector<int64_t> targets(batch.ids.begin() + 1, batch.ids.end());
    const TokenStatistics statistics = token_statistics(*model, hidden, targets, 1.0);
    const auto log_probs = sequence["logprobs"].get<std::vector<float>>();
    for (size_t t = 0; t < targets.size(); ++t) {
      EXPECT_NEAR(statistics.log_probs[static_cast<int64_t>(t)].item<float>(), log_probs[t], tolerance);
      EXPECT_NEAR(statistics.entropies[static_cast<int64_t>(t)].item<float>(), sequence["entropy"][t].get<float>(), tolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, GoldenModel,
                         testing::Values("tiny-llama", "tiny-llama-dynamic", "tiny-llama-linear", "tiny-llama-untied",
                                         "tiny-qwen2", "tiny-qwen2-bf16-sharded", "tiny-qwen2-yarn", "tiny-qwen3",
                                         "tiny-qwen3-untied", "tiny-qwen3-yarn"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Transformer, SavedAndLoadedIsTheSameBitForBit) {
  const Transformer model = lively_model(two_layers(false, true, true), 3);
  const ScratchFolder folder;
  model.save(folder.path());
  const auto loaded = Transformer::load(folder.path(), {});
  for (size_t i = 0; i < model.parameters().size(); ++i) {
    EXPECT_TRUE(torch::equal(model.parameters()[i].value, loaded->parameters()[i].value)) << model.parameters()[i].name;
  }
}

TEST(Strict, ARowDoesNotDependOnItsNeighbours) {
  const Transformer model = lively_model(two_layers(), 1);
  PackedBatch alone;
  alone.add(random_tokens(7, 13));
  const torch::Tensor expected = model.forward(alone).slice(0, 0, 13);
  for (const int64_t others : {1, 3, 10, 60, 200}) {
    PackedBatch batch;
    for (int64_t i = 0; i < others; ++i) batch.add(random_tokens(100 + static_cast<uint64_t>(i), 1 + i % 9));
    const int64_t begin = batch.rows();
    batch.add(random_tokens(7, 13));
    EXPECT_TRUE(torch::equal(model.forward(batch).slice(0, begin, begin + 13), expected)) << others << " neighbours";
  }
}

TEST(Strict, AResponseAfterASharedPromptEqualsDecodingTokenByToken) {
  const Transformer model = lively_model(two_layers(), 2);
  const std::vector<int64_t> prompt = random_tokens(1, 21), response = random_tokens(2, 19);
  PackedBatch batch;
  const int64_t prefix = batch.add(prompt);
  batch.add(random_tokens(3, 5), prefix);
  batch.add(response, prefix);
  const int64_t begin = batch.sequences[2].begin;
  const torch::Tensor packed = model.forward(batch).slice(0, begin, begin + 19);
  KvStore prompt_store(2, {21}, model.heads(), torch::kFloat32), own(2, {64}, model.heads(), torch::kFloat32);
  PackedBatch prompt_batch;
  prompt_batch.add(prompt);
  model.prefill(prompt_batch, {&prompt_store});
  for (int64_t t = 0; t < 19; ++t) {
    const torch::Tensor row = model.decode({response[static_cast<size_t>(t)]}, {21 + t}, {{&own, 0, t, &prompt_store, 0, 21}});
    EXPECT_TRUE(torch::equal(row[0], packed[t])) << "token " << t;
  }
}

TEST(Forward, SharingThePromptEqualsRepeatingIt) {
  const Transformer model = lively_model(two_layers(false, true), 4);
  const std::vector<int64_t> prompt = random_tokens(1, 11), response = random_tokens(2, 7);
  PackedBatch shared, repeated;
  shared.add(response, shared.add(prompt));
  std::vector<int64_t> whole = prompt;
  whole.insert(whole.end(), response.begin(), response.end());
  repeated.add(whole);
  EXPECT_LT((model.forward(shared).slice(0, 0, 18) - model.forward(repeated).slice(0, 0, 18)).abs().max().item<double>(), 2e-5);
}

// Loss: a fixed weighting of log-probs and entropies of all next tokens.
double loss_of(const Transformer& model, const PackedBatch& batch, const std::vector<int64_t>& targets) {
  const TokenStatistics s = token_statistics(model, model.forward(batch), targets, 0.8);
  const torch::Tensor weights = torch::cos(torch::arange(s.log_probs.size(0), torch::kFloat64));
  return (s.log_probs.to(torch::kFloat64) * weights + 0.3 * s.entropies.to(torch::kFloat64) * weights.flip(0))
      .sum()
      .item<double>();
}

void gradients_of(Transformer& model, const PackedBatch& batch, const std::vector<int64_t>& targets, bool recompute) {
  model.zero_grad();
  Tape tape;
  const torch::Tensor hidden = model.forward(batch, &tape, recompute);
  const auto rows = static_cast<int64_t>(targets.size());
  const torch::Tensor weights = torch::cos(torch::arange(rows, torch::kFloat64)).to(torch::kFloat32);
  const torch::Tensor d =
      token_statistics_backward(model, hidden.slice(0, 0, rows), targets, 0.8, weights, 0.3 * weights.flip(0));
  torch::Tensor whole = torch::zeros_like(hidden);
  whole.slice(0, 0, rows).copy_(d);
  model.backward(batch, tape, whole);
}

TEST(Backward, EqualsFiniteDifferencesForEveryParameter) {
  for (const auto& config : {two_layers(true, false, false), two_layers(false, true, true)}) {
    Transformer model = lively_model(config, 5);
    PackedBatch batch;
    const int64_t prefix = batch.add(random_tokens(1, 5));
    batch.add(random_tokens(2, 18), prefix);
    batch.add(random_tokens(3, 4), prefix);
    batch.add(random_tokens(4, 3));
    const std::vector<int64_t> targets = random_tokens(9, batch.rows());
    gradients_of(model, batch, targets, false);
    for (Parameter& parameter : model.parameters()) {
      // Along a random direction: the difference quotient of a fp32 loss is good to about 1e-3 of the gradient's size.
      torch::Tensor direction = torch::sin(torch::arange(parameter.value.numel()) * 1.7 + 0.3).view_as(parameter.value);
      direction = direction / direction.norm();
      const double expected = (parameter.grad * direction).sum().item<double>();
      const double h = 2e-3 * std::max(1.0, parameter.value.norm().item<double>() / 20);
      const torch::Tensor saved = parameter.value.clone();
      parameter.value.copy_(saved + h * direction);
      const double up = loss_of(model, batch, targets);
      parameter.value.copy_(saved - h * direction);
      const double down = loss_of(model, batch, targets);
      parameter.value.copy_(saved);
      const double scale = std::max(0.05, parameter.grad.norm().item<double>());
      EXPECT_NEAR((up - down) / (2 * h), expected, 0.01 * scale) << parameter.name;
    }
  }
}

TEST(Backward, RecomputingActivationsGivesTheSameBytes) {
  Transformer model = lively_model(two_layers(), 6);
  PackedBatch batch;
  batch.add(random_tokens(2, 30), batch.add(random_tokens(1, 8)));
  const std::vector<int64_t> targets = random_tokens(9, batch.rows());
  gradients_of(model, batch, targets, false);
  std::vector<torch::Tensor> kept;
  for (const Parameter& parameter : model.parameters()) kept.push_back(parameter.grad.clone());
  gradients_of(model, batch, targets, true);
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(torch::equal(kept[i], model.parameters()[i].grad));
}

TEST(Kernels, EqualTheirPlainTwins) {
  torch::Tensor x = torch::sin(torch::arange(7 * 24) * 0.37).view({7, 24}) * 2, w = torch::cos(torch::arange(24) * 0.2);
  torch::Tensor rstd, plain_rstd;
  EXPECT_TRUE(torch::allclose(ops::rms_norm(x, w, 1e-6, &rstd), ops::plain::rms_norm(x, w, 1e-6, &plain_rstd), 1e-5, 1e-6));
  torch::Tensor dx = torch::zeros_like(x), dw = torch::zeros({24}), plain_dx = torch::zeros_like(x),
                plain_dw = torch::zeros({24});
  const torch::Tensor dy = torch::cos(x * 3);
  ops::rms_norm_backward(dy, x, w, rstd, dx, dw);
  ops::plain::rms_norm_backward(dy, x, w, plain_rstd, plain_dx, plain_dw);
  EXPECT_TRUE(torch::allclose(dx, plain_dx, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(dw, plain_dw, 1e-4, 1e-5));
  const torch::Tensor gate_up = torch::sin(torch::arange(5 * 36) * 0.71).view({5, 36}) * 4,
                      g = torch::cos(torch::arange(5 * 18) * 1.1).view({5, 18});
  EXPECT_TRUE(torch::allclose(ops::swiglu(gate_up), ops::plain::swiglu(gate_up), 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(ops::swiglu_backward(g, gate_up), ops::plain::swiglu_backward(g, gate_up), 1e-5, 1e-6));
}

class AttentionKernels : public testing::TestWithParam<kernels::HeadShape> {};

TEST_P(AttentionKernels, AndTheirBackwardEqualTheirPlainTwins) {
  const kernels::HeadShape shape = GetParam();
  const int64_t rows = 60, q_width = shape.heads * shape.dim, k_width = shape.kv_heads * shape.dim;
  const auto wave = [&](int64_t width, double step) {
    return torch::sin(torch::arange(rows * width, torch::kFloat64) * step).to(torch::kFloat32).view({rows, width});
  };
  const torch::Tensor q = wave(q_width, 0.731), k = wave(k_width, 0.417), qkv = wave(q_width + 2 * k_width, 0.913);
  const torch::Tensor dout = wave(q_width, 1.31);
  const std::vector<ops::AttentionSpan> spans = {{0, 7, -1}, {7, 40, 0}, {47, 3, 0}, {50, 10, -1}};
  KvStore store(1, {7, 40, 3, 10}, shape, torch::kFloat32);
  KvStore plain_store(1, {7, 40, 3, 10}, shape, torch::kFloat32, torch::kCPU, true);
  const auto places_in = [&](KvStore& in) {
    PassRows of;
    for (size_t s = 0; s < spans.size(); ++s) {
      for (int64_t i = 0; i < spans[s].length; ++i) {
        RowPlace place{&in, static_cast<int64_t>(s), i, nullptr, 0, 0};
        if (spans[s].prefix >= 0) place.prefix = &in, place.prefix_slot = 0, place.prefix_count = 7;
        of.places.push_back(place);
      }
    }
    return of;
  };
  torch::Tensor lse, plain_lse;
  const torch::Tensor out = ops::attend(q, k, qkv, places_in(store), 0, shape, &lse);
  const torch::Tensor plain_out = ops::attend(q, k, qkv, places_in(plain_store), 0, shape, &plain_lse);
  EXPECT_TRUE(torch::allclose(out, plain_out, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(lse, plain_lse, 1e-4, 1e-5));
  const auto ours = ops::attend_backward(dout, out, lse, q, k, qkv, spans, shape);
  const auto plain = ops::plain::attend_backward(dout, q, k, qkv, spans, shape);
  EXPECT_TRUE(torch::allclose(ours.dq, plain.dq, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(ours.dk, plain.dk, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(ours.dv, plain.dv, 1e-4, 1e-5));

  // Rotation, with norms and without.
  const torch::Tensor norm = wave(shape.dim, 0.3)[0] + 1.5, positions = torch::arange(rows) % 13;
  const torch::Tensor angles = torch::outer(torch::arange(13, torch::kFloat32), wave(shape.dim / 2, 0.5)[0]);
  const ops::Rotary rotary{angles.cos(), angles.sin()};
  for (const ops::HeadNorms& norms : {ops::HeadNorms{norm, norm.flip(0).contiguous()}, ops::HeadNorms{}}) {
    const auto [rotated_q, rotated_k] = ops::split_rotate(qkv, norms, rotary, positions, shape);
    const auto [plain_q, plain_k] = ops::plain::split_rotate(qkv, norms, rotary, positions, shape);
    EXPECT_TRUE(torch::allclose(rotated_q, plain_q, 1e-4, 1e-5));
    EXPECT_TRUE(torch::allclose(rotated_k, plain_k, 1e-4, 1e-5));
    torch::Tensor dq_norm = torch::ones({shape.dim}), dk_norm = torch::ones({shape.dim});
    torch::Tensor plain_dq_norm = dq_norm.clone(), plain_dk_norm = dk_norm.clone();
    const torch::Tensor dqkv =
        ops::split_rotate_backward(ours.dq, ours.dk, ours.dv, qkv, norms, rotary, positions, shape, dq_norm, dk_norm);
    const torch::Tensor plain_dqkv = ops::plain::split_rotate_backward(ours.dq, ours.dk, ours.dv, qkv, norms, rotary, positions,
                                                                       shape, plain_dq_norm, plain_dk_norm);
    EXPECT_TRUE(torch::allclose(dqkv, plain_dqkv, 1e-3, 1e-4));
    EXPECT_TRUE(torch::allclose(dq_norm, plain_dq_norm, 1e-3, 1e-4));
    EXPECT_TRUE(torch::allclose(dk_norm, plain_dk_norm, 1e-3, 1e-4));
  }
}

// Heads to a key-value head from 1 to 9, dimensions of one vector, of several, and of parts.
INSTANTIATE_TEST_SUITE_P(Shapes, AttentionKernels,
                         testing::Values(kernels::HeadShape{4, 2, 16}, kernels::HeadShape{4, 2, 20},
                                         kernels::HeadShape{3, 3, 16}, kernels::HeadShape{6, 2, 64},
                                         kernels::HeadShape{9, 1, 32}, kernels::HeadShape{14, 2, 48},
                                         kernels::HeadShape{2, 1, 128}, kernels::HeadShape{4, 4, 6},
                                         kernels::HeadShape{5, 1, 80}));

}  // namespace
}  // namespace harness
