#include <benchmark/benchmark.h>

#include <cmath>

#include "harness/train/benching.h"

namespace harness {
namespace {

BenchRows rows_of(const benchmark::State& state, const Transformer& model) {
  return {model, state.range(1), state.range(2), state.range(3), state.range(4)};
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"nano", "groups", "samples", "prompt", "new"})->Unit(benchmark::kMillisecond)->UseRealTime();
  benchmark->Args({1, 4, 16, 12, 24})->Args({1, 1, 16, 12, 24})->Args({1, 1, 4, 12, 24})->Args({0, 1, 4, 32, 8});
}

// Log-probs and entropies of responses without a gradient; tokens a second.
void scoring(benchmark::State& state) {
  const Transformer& model = bench_model(state.range(0) != 0);
  const BenchRows rows = rows_of(state, model);
  const TrainSettings settings;
  const RowStatistics scored = score_rows(model, {rows.rows, settings});
  for (size_t b = 0; b < rows.rows.size(); ++b) {
    require(scored.log_probs[b] == rows.rows[b].old_log_probs, "scored log-probs differ from sampled ones");
  }
  for (auto _ : state) benchmark::DoNotOptimize(score_rows(model, {rows.rows, settings}));
  state.SetItemsProcessed(state.iterations() * rows.tokens);
}
BENCHMARK(scoring)->Apply(shapes);

// Forward, backward and AdamW of one mini-batch at learning rate 0; tokens a second.
void update(benchmark::State& state) {
  Transformer& model = bench_model(state.range(0) != 0);
  const BenchRows rows = rows_of(state, model);
  TrainSettings settings;
  settings.optimizer.lr = 0;
  Optimizer optimizer(model, settings.optimizer);
  MethodStack methods;
  const Metrics metrics = update_mini_batch(model, optimizer, methods, {rows.rows, settings}).value();
  require(metrics.at("largest_log_ratio") == 0 && metrics.at("grad_norm") > 0,
          "the first ratio is not 1, or there is no gradient");
  for (auto _ : state) benchmark::DoNotOptimize(update_mini_batch(model, optimizer, methods, {rows.rows, settings}));
  state.SetItemsProcessed(state.iterations() * rows.tokens);
  model.drop_grad();
}
BENCHMARK(update)->Apply(shapes);

// Sampling, then updates by mini-batches of two groups: what a step does beside grading and shaping; generated tokens a second.
void rollout_and_update(benchmark::State& state) {
  Transformer& model = bench_model(state.range(0) != 0);
  TrainSettings settings;
  settings.optimizer.lr = 0;
  Optimizer optimizer(model, settings.optimizer);
  MethodStack methods;
  const auto step = [&] {
    const BenchRows rows = rows_of(state, model);
    const size_t mini_batch = static_cast<size_t>(2 * state.range(2));
    double largest = 0;
    for (size_t begin = 0; begin < rows.rows.size(); begin += mini_batch) {
      const size_t end = std::min(rows.rows.size(), begin + mini_batch);
      const std::vector<TrainRow> part(rows.rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                       rows.rows.begin() + static_cast<std::ptrdiff_t>(end));
      largest = std::max(largest, update_mini_batch(model, optimizer, methods, {part, settings})->at("largest_log_ratio"));
    }
    require(largest == 0, "the ratio of an unchanged policy is not 1");
    return rows.tokens;
  };
  int64_t tokens = step();
  require(tokens == state.range(1) * state.range(2) * state.range(4), "a response has another length");
  tokens = 0;
  for (auto _ : state) tokens += step();
  state.SetItemsProcessed(tokens);
  model.drop_grad();
}
BENCHMARK(rollout_and_update)->Apply(shapes);

}  // namespace
}  // namespace harness
