// The binding of the GPU kernels against the plain operations: on the host (the kernels' bodies as loops) and on a GPU.
#include "harness/model/ops/gpu.h"

#include "harness/model/ops/testing.h"

namespace harness::ops {
namespace {

TEST_P(GpuOps, NormsAndSwigluAreThePlainOnes) {
  const auto x = make({5, 48}, 1), w = make({48}, 2), dy = make({5, 48}, 3);
  torch::Tensor rstd, plain_rstd;
  expect_close(gpu::rms_norm(kernels(), x, w, 1e-6, &rstd), plain::rms_norm(x, w, 1e-6, &plain_rstd));
  expect_close(rstd, plain_rstd);
  torch::Tensor dx = torch::zeros_like(x), dw = fp32({48}, 5), plain_dx = dx.clone(), plain_dw = dw.clone();
  gpu::rms_norm_backward(kernels(), dy, x, w, rstd, dx, dw);
  plain::rms_norm_backward(dy, x, w, rstd, plain_dx, plain_dw);
  expect_close(dx, plain_dx);
  expect_close(dw, plain_dw);
  const auto gate_up = make({5, 72}, 6), dout = make({5, 36}, 7);
  expect_close(gpu::swiglu(kernels(), gate_up), plain::swiglu(gate_up));
  expect_close(gpu::swiglu_backward(kernels(), dout, gate_up), plain::swiglu_backward(dout, gate_up));
}

TEST_P(GpuOps, SplitRotateIsThePlainOne) {
  const kernels::HeadShape shape{4, 2, 16};
  const auto qkv = make({6, 128}, 1);
  const Rotary rotary{fp32({10, 8}, 2), fp32({10, 8}, 3)};
  const auto positions = index({0, 1, 2, 9, 4, 4});
  for (const bool norms : {false, true}) {
    const HeadNorms head_norms = norms ? HeadNorms{make({16}, 4), make({16}, 5), 1e-6} : HeadNorms{};
    const auto [q, k] = gpu::split_rotate(kernels(), qkv, head_norms, rotary, positions, shape);
    const auto [plain_q, plain_k] = plain::split_rotate(qkv, head_norms, rotary, positions, shape);
    expect_close(q, plain_q, 1e-4);
    expect_close(k, plain_k, 1e-4);
  }
}

// Prompts of one slot each, then two rows of decoding that share a prompt, a third without.
TEST_P(GpuOps, AttentionOfPackedRowsAndOfDecodingIsThePlainOne) {
  const kernels::HeadShape shape{6, 2, 16};
  const int64_t layers = 2, layer = 1, prompt = 270;
  const auto dtype = std::get<1>(GetParam());
  const auto store = [&] { return KvStore(layers, {prompt, 20, 20, 20}, shape, dtype, device(), true); };
  KvStore ours = store(), theirs = store();
  const Rotary rotary{fp32({prompt, 8}, 2), fp32({prompt, 8}, 4)};
  const auto places = [&](KvStore& kv, bool decoding) {
    std::vector<RowPlace> rows;
    if (!decoding) {
      for (int64_t i = 0; i < prompt; ++i) rows.push_back({&kv, 0, i, nullptr, 0, 0});
      for (int64_t i = 0; i < 7; ++i) rows.push_back({&kv, 3, i, nullptr, 0, 0});
      for (int64_t i = 0; i < 5; ++i) rows.push_back({&kv, 1, i, &kv, 0, prompt});
      for (int64_t i = 0; i < 9; ++i) rows.push_back({&kv, 2, i, &kv, 0, prompt});
    } else {
      rows = {{&kv, 1, 5, &kv, 0, prompt}, {&kv, 2, 9, &kv, 0, prompt}, {&kv, 3, 7, nullptr, 0, 0}};
    }
    return rows;
  };
  for (const bool decoding : {false, true}) {
    const int64_t rows = decoding ? 4 : 320;  // padding beyond the places
    const auto qkv = make({rows, 160}, 3);
    const std::vector<RowPlace> placed = places(ours, decoding);
    std::vector<int64_t> ids, positions;
    for (const RowPlace& place : placed) {
      ids.push_back(100 + place.own_slot);
      positions.push_back(place.own_position);
    }
    const PassRows pass = gpu::send_rows(ids, positions, placed, rows, shape, device());
    ids.resize(static_cast<size_t>(rows), 0);
    EXPECT_TRUE(torch::equal(pass.ids, index(ids)));
    const auto [q, k] = gpu::split_rotate(kernels(), qkv, {}, rotary, pass.positions, shape, pass.tasks.get(), layer);
    torch::Tensor lse, plain_lse;
    const auto out = gpu::attend(kernels(), q, *pass.tasks, layer, shape, &lse);
    // Weights are rounded to bf16, 2^-9 of each, and values are at most about 4.
    expect_close(out, plain::attend(q, k, qkv, places(theirs, decoding), layer, shape, &plain_lse), 1e-4, 4.0 / 512);
    expect_close(lse, plain_lse, 1e-4);
  }
  for (int64_t slot = 0; slot < 4; ++slot) {
    const auto [keys, values] = ours.read(layer, slot, 8);
    const auto [plain_keys, plain_values] = theirs.read(layer, slot, slot == 1 ? 6 : 8);
    EXPECT_TRUE(torch::equal(keys.slice(0, 0, plain_keys.size(0)), plain_keys));
    EXPECT_TRUE(torch::equal(values.slice(0, 0, plain_values.size(0)), plain_values));
  }
}

TEST_P(GpuOps, TokensAreThoseThatTheCpuDraws) {
  const int64_t rows = 64, vocabulary = 1000;
  const auto logits = make({rows, vocabulary}, 1, 3.0);
  std::vector<double> uniforms;
  const RandomStream stream("binding draws", {1});
  for (int64_t r = 0; r < rows; ++r) uniforms.push_back(stream.uniform(static_cast<uint64_t>(r)));
  const gpu::DrawnTokens drawn = gpu::draw_tokens(kernels(), logits, uniforms, 0.8, 1.0);
  const auto wide = logits.to(torch::kCPU, torch::kFloat32).contiguous();
  const auto log_softmax = torch::log_softmax(wide, -1);
  const auto& table = kernels::table_fp32();
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = wide.data_ptr<float>() + r * vocabulary;
    const int64_t token =
        table.draw(row, vocabulary, 1.25f, table.logit_statistics(row, vocabulary, 1.25f), uniforms[static_cast<size_t>(r)]);
    ASSERT_EQ(drawn.tokens[r].item<int64_t>(), token) << "row " << r;
    ASSERT_NEAR(drawn.log_probs[r].item<double>(), log_softmax[r][token].item<double>(), 3e-5);
    ASSERT_NEAR(drawn.entropies[r].item<double>(), -(log_softmax[r].exp() * log_softmax[r]).sum().item<double>(), 1e-4);
  }
  const gpu::DrawnTokens greedy = gpu::draw_tokens(kernels(), logits, {}, 1.0, 1.0);
  EXPECT_TRUE(torch::equal(greedy.tokens, wide.argmax(-1)));
}

TEST_P(GpuOps, LogProbsAndTheirGradientAreThoseOfAutograd) {
  const int64_t rows = 7, vocabulary = 1100;
  torch::Tensor logits = make({rows, vocabulary}, 1, 2.0);
  const auto targets = index({0, 1099, 5, 6, 7, 8, 1023}), g = fp32({rows}, 2), h = fp32({rows}, 3);
  const auto leaf = logits.to(torch::kFloat32).requires_grad_(true);
  const auto log_softmax = torch::log_softmax(leaf / 0.8, -1);
  const auto log_probs = log_softmax.gather(1, targets.unsqueeze(1)).squeeze(1),
             entropies = -(log_softmax.exp() * log_softmax).sum(-1);
  const auto [found, found_entropies] = gpu::token_log_probs(kernels(), logits, targets, 0.8);
  expect_close(found, log_probs.detach(), 3e-5);
  expect_close(found_entropies, entropies.detach(), 3e-5);
  ((log_probs * g).sum() + (entropies * h).sum()).backward();
  gpu::logit_gradient(kernels(), logits, targets, g, h, 0.8);
  expect_close(logits, leaf.grad().to(logits.dtype()));
}

TEST_P(GpuOps, ReadoutIsTheHeadRowTimesEachLayer) {
  const auto head = make({20, 40}, 1);
  const auto tokens = index({3, 19, 0});
  std::vector<torch::Tensor> layers, expected;
  for (uint64_t l = 0; l < 5; ++l) {
    layers.push_back(make({4, 40}, 10 + l));
    expected.push_back(
        (layers.back().slice(0, 0, 3).to(torch::kFloat32) * head.index_select(0, tokens).to(torch::kFloat32)).sum(-1));
  }
  expect_close(gpu::readout(kernels(), head, tokens, layers), torch::stack(expected, 1));
}

TEST_P(GpuOps, AdamWIsThatOfLibTorch) {
  torch::Tensor parameter = make({300}, 1),
                master = parameter.scalar_type() == torch::kFloat32 ? parameter : parameter.to(torch::kFloat32);
  torch::Tensor first = torch::zeros_like(master), second = torch::zeros_like(master);
  std::vector<torch::Tensor> values = {master.clone()}, firsts = {first.clone()}, seconds = {second.clone()};
  for (int64_t step = 1; step <= 3; ++step) {
    const torch::Tensor gradient = fp32({300}, 100 + static_cast<uint64_t>(step));
    gpu::adamw(kernels(), master, first, second, gradient, parameter, {1e-2, 0.9, 0.95, 1e-8, 0.1, 0.25, step});
    std::vector<torch::Tensor> gradients = {gradient * 0.25},
                               steps = {torch::tensor(static_cast<double>(step),
                                                      torch::TensorOptions().dtype(torch::kFloat32).device(device()))};
    at::_fused_adamw_(values, gradients, firsts, seconds, {}, steps, 1e-2, 0.9, 0.95, 0.1, 1e-8, false, false);
    expect_close(master, values[0], 2e-6);
    EXPECT_TRUE(torch::equal(parameter, master.to(parameter.dtype())));
  }
}

MEDSBENCH_GPU_STANDS(GpuOps);

}  // namespace
}  // namespace harness::ops
