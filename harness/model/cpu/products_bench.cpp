// fp32 products of layers: our own (products.h) and LibTorch's (MKL) on the same numbers, in GFLOP/s.
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include "harness/core/error.h"
#include "harness/model/ops/ops.h"

namespace harness {
namespace {

enum class Kind { kForward, kInput, kWeight };

// One layer's product, rows [M], inputs [K], outputs [N]: y = x w^T, dx = dy w or dw += dy^T x.
struct Layer {
  Layer(int64_t m, int64_t n, int64_t k, torch::Dtype dtype)
      : x(torch::randn({m, k}).to(dtype)), w(torch::randn({n, k}).to(dtype)), dy(torch::randn({m, n}).to(dtype)) {}
  torch::Tensor x, w, dy;
  torch::Tensor dw = torch::zeros_like(w);

  torch::Tensor ours(Kind kind) {
    if (kind == Kind::kForward) return ops::linear(x, w);
    if (kind == Kind::kInput) return ops::input_gradient(dy, w);
    ops::add_weight_gradient(dw, dy, x);
    return dw;
  }
  torch::Tensor libtorch(Kind kind) {
    if (kind == Kind::kForward) return at::linear(x, w);
    if (kind == Kind::kInput) return at::mm(dy, w);
    return dw.addmm_(dy.t(), x);
  }
};

void product(benchmark::State& state, Kind kind, bool ours, torch::Dtype dtype = torch::kFloat32) {
  const torch::NoGradGuard no_grad;
  Layer layer(state.range(0), state.range(1), state.range(2), dtype);
  const torch::Tensor a = layer.ours(kind).clone();
  layer.dw.zero_();
  const torch::Tensor b = layer.libtorch(kind);
  MEDSBENCH_CHECK(((a - b).abs().max() <= (dtype == torch::kFloat32 ? 1e-4 : 1e-2) * a.abs().max()).item<bool>(),
                  "two ways to the same product differ");
  for (auto _ : state) benchmark::DoNotOptimize(ours ? layer.ours(kind) : layer.libtorch(kind));
  const double operations = 2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2));
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

// Rows x outputs x inputs of SmolLM2-135M's layers and head, and of the nano model's.
void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rows", "outputs", "inputs"})->UseRealTime();
  benchmark->Args({64, 960, 576})->Args({64, 3072, 576})->Args({64, 576, 1536})->Args({64, 49152, 576});
  for (const int64_t rows : {1, 4, 16, 32}) benchmark->Args({rows, 3072, 576});
  for (const int64_t rows : {4, 16, 32, 64, 256}) benchmark->Args({rows, 384, 64});
  benchmark->Args({512, 3072, 576});
  for (const auto& [outputs, inputs] : {std::pair<int64_t, int64_t>{384, 64}, {64, 192}, {128, 64}, {64, 64}, {38, 64}}) {
    benchmark->Args({1600, outputs, inputs});
  }
}

BENCHMARK_CAPTURE(product, forward_ours, Kind::kForward, true)->Apply(shapes);
BENCHMARK_CAPTURE(product, forward_libtorch, Kind::kForward, false)->Apply(shapes);
BENCHMARK_CAPTURE(product, forward_bf16_ours, Kind::kForward, true, torch::kBFloat16)->Apply(shapes);
BENCHMARK_CAPTURE(product, forward_bf16_libtorch, Kind::kForward, false, torch::kBFloat16)->Apply(shapes);
BENCHMARK_CAPTURE(product, input_gradient_ours, Kind::kInput, true)->Apply(shapes);
BENCHMARK_CAPTURE(product, input_gradient_libtorch, Kind::kInput, false)->Apply(shapes);
BENCHMARK_CAPTURE(product, weight_gradient_ours, Kind::kWeight, true)->Apply(shapes);
BENCHMARK_CAPTURE(product, weight_gradient_libtorch, Kind::kWeight, false)->Apply(shapes);

}  // namespace
}  // namespace harness
