#include <benchmark/benchmark.h>

#include <cmath>

#include "harness/rollout/benching.h"

namespace harness {
namespace {

// range(0): 1 nano, 0 SmolLM2; range(1): prompt tokens; range(2): samples; range(3): new tokens; range(4): readout recorded.
GeneratorSettings settings_of(const benchmark::State& state) {
  GeneratorSettings settings;
  settings.sampling.max_new_tokens = state.range(3);
  settings.max_rows = state.range(2);
  settings.readout = state.range(4) != 0;
  return settings;
}

void check_once(const Transformer& model, const GenerationRequest& request, const GeneratorSettings& settings) {
  const auto responses = generate(model, {request}, settings)[0];
  const auto again = generate(model, {{request.prompt, {request.streams[0]}}}, settings)[0];
  require(responses[0].ids == again[0].ids && responses[0].log_probs == again[0].log_probs,
          "a response depends on its neighbours");
  for (const SampledResponse& response : responses) {
    require(response.tokens() == settings.sampling.max_new_tokens, "a response has another length");
    for (const float log_prob : response.log_probs)
      require(std::isfinite(log_prob) && log_prob < 0, "a log-prob is not finite");
  }
}

// The whole of it: prompt once, then one token a step for all samples.
void generation(benchmark::State& state) {
  const Transformer& model = bench_model(state.range(0) != 0);
  const GenerationRequest request = bench_request(model, state.range(1), state.range(2));
  const GeneratorSettings settings = settings_of(state);
  check_once(model, request, settings);
  for (auto _ : state) benchmark::DoNotOptimize(generate(model, {request}, settings));
  state.SetItemsProcessed(state.iterations() * state.range(2) * state.range(3));
}
BENCHMARK(generation)
    ->ArgNames({"nano", "prompt", "samples", "new", "readout"})
    ->Args({1, 12, 256, 24, 0})
    ->Args({1, 12, 64, 24, 0})
    ->Args({1, 12, 32, 24, 0})
    ->Args({1, 12, 128, 24, 0})
    ->Args({1, 12, 256, 24, 1})
    ->Args({1, 12, 16, 24, 1})
    ->Args({0, 32, 8, 4, 0})
    ->Args({0, 32, 8, 4, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// One decode step over rows that already hold `held` tokens: hidden states and logits, no choice of tokens.
void decode_step(benchmark::State& state) {
  const torch::NoGradGuard no_grad;
  const Transformer& model = bench_model(state.range(0) != 0);
  const int64_t rows = state.range(1), held = state.range(2);
  KvStore prompt_store(model.config().layers, {held}, model.heads(), torch::kFloat32);
  KvStore own(model.config().layers, std::vector<int64_t>(static_cast<size_t>(rows), 16), model.heads(), torch::kFloat32);
  PackedBatch prompt;
  const std::vector<int64_t> tokens = bench_request(model, held, 0).prompt;
  prompt.add(tokens);
  model.prefill(prompt, {&prompt_store});
  std::vector<int64_t> ids, positions;
  std::vector<RowPlace> places;
  for (int64_t row = 0; row < rows; ++row) {
    ids.push_back(row % model.config().vocab_size);
    positions.push_back(held);
    places.push_back({&own, row, 0, &prompt_store, 0, held});
  }
  PackedBatch whole;
  whole.add({ids[1]}, whole.add(tokens));
  require(torch::equal(model.forward(whole)[held], model.decode(ids, positions, places)[1]),
          "decoding differs from a forward pass");
  for (auto _ : state) benchmark::DoNotOptimize(model.logits(model.decode(ids, positions, places)));
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(decode_step)
    ->ArgNames({"nano", "rows", "held"})
    ->Args({1, 64, 32})
    ->Args({1, 256, 32})
    ->Args({0, 4, 128})
    ->Args({0, 64, 128})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace harness
