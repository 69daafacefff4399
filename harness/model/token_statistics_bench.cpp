// The end of a policy's loss over a large vocabulary: by chunks of logits (token_statistics) and with all logits at once in
// LibTorch. Both give log-probs, entropies and the gradients of hidden states and head; their times in one run, in turn:
//     OMP_NUM_THREADS=1 bench_model --benchmark_filter=loss_ --benchmark_repetitions=5
//     --benchmark_enable_random_interleaving=true
// MEDSBENCH_BENCH_TOKENS and _WIDTH choose another size; all logits at once take 2 * 4 * 151936 bytes a token.
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <cstdlib>

#include "harness/core/error.h"
#include "harness/model/token_statistics.h"

namespace harness {
namespace {

int64_t size_of(const char* name, int64_t fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : std::stoll(value);
}

ModelConfig wide_vocabulary(int64_t width) {
  ModelConfig config;
  config.architecture = "qwen2";
  config.vocab_size = 151936;  // Qwen2.5
  config.width = width;
  config.layers = 1;
  config.heads = 2;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.mlp_width = 16;
  config.max_positions = 64;
  config.tied_head = true;
  return config;
}

struct LossResult {
  torch::Tensor log_probs, entropies;  // [M]
  torch::Tensor dhidden;               // [M, D]; that of the head is added to the model's
};

struct LossEnd {
  Transformer model{wide_vocabulary(size_of("MEDSBENCH_BENCH_WIDTH", 64)), {}};
  int64_t tokens = size_of("MEDSBENCH_BENCH_TOKENS", 512), width = model.config().width;
  torch::Tensor hidden, gradient;  // [M, D], [M]
  std::vector<int64_t> targets;
  LossEnd() {
    model.initialise(3);
    model.zero_grad();
    for (Parameter& parameter : model.parameters()) parameter.value.mul_(5);
    hidden = torch::sin(torch::arange(tokens * width, torch::kFloat32)).view({tokens, width});
    gradient = torch::cos(torch::arange(tokens, torch::kFloat32)) / static_cast<double>(tokens);
    for (int64_t m = 0; m < tokens; ++m) targets.push_back(m * 71 % model.config().vocab_size);
  }
  torch::Tensor& head_gradient() { return model.parameters().front().grad; }

  LossResult by_chunks() {
    const TokenStatistics statistics = token_statistics(model, hidden, targets, 1.0);
    return {statistics.log_probs, statistics.entropies, token_statistics_backward(model, hidden, targets, 1.0, gradient, {})};
  }

  // d logits = (one-hot - p) d log-prob, in place of p.
  LossResult at_once() {
    const torch::NoGradGuard no_grad;
    torch::Tensor logits = at::linear(hidden, model.head());  // [M, V]
    const torch::Tensor index = torch::tensor(targets, torch::kInt64).unsqueeze(1);
    const torch::Tensor lse = logits.logsumexp(-1);
    LossResult result;
    result.log_probs = logits.gather(1, index).squeeze(1) - lse;
    torch::Tensor p = logits.softmax(-1);
    result.entropies = lse - logits.mul_(p).sum(-1);
    logits = torch::Tensor();
    p.mul_(-gradient.unsqueeze(1)).scatter_add_(1, index, gradient.unsqueeze(1));
    result.dhidden = p.mm(model.head());
    head_gradient().addmm_(p.t(), hidden);
    return result;
  }
};

void check_same(LossEnd& end) {
  const auto near = [](const torch::Tensor& a, const torch::Tensor& b) {
    return ((a - b).abs().max() <= 1e-4 * b.abs().max()).item<bool>();
  };
  const LossResult a = end.by_chunks();
  const torch::Tensor head = end.head_gradient().clone();
  end.model.zero_grad();
  const LossResult b = end.at_once();
  MEDSBENCH_CHECK(near(a.log_probs, b.log_probs) && near(a.entropies, b.entropies) && near(a.dhidden, b.dhidden) &&
                      near(head, end.head_gradient()),
                  "two ways to the same loss differ");
}

void loss_by_chunks(benchmark::State& state) {
  LossEnd end;
  check_same(end);
  for (auto _ : state) benchmark::DoNotOptimize(end.by_chunks());
  state.SetItemsProcessed(state.iterations() * end.tokens);
}
BENCHMARK(loss_by_chunks)->Unit(benchmark::kMillisecond);

void loss_at_once(benchmark::State& state) {
  LossEnd end;
  for (auto _ : state) benchmark::DoNotOptimize(end.at_once());
  state.SetItemsProcessed(state.iterations() * end.tokens);
}
BENCHMARK(loss_at_once)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace harness
