// Decoding, scoring, an update and both together, of one model, with operations and bytes a second.
//
// The environment chooses: MEDSBENCH_BENCH_MODEL (nano, smollm2-135m, qwen2.5-0.5b, qwen3-1.7b), MEDSBENCH_BENCH_DEVICE (cpu,
// cuda), MEDSBENCH_BENCH_DTYPE (fp32, bf16), MEDSBENCH_BENCH_PROMPTS, _SAMPLES, _PROMPT_TOKENS, _NEW_TOKENS, _MICRO_BATCH
// (responses; 0: all), _STOP_EVERY (0: all responses have _NEW_TOKENS; else as in BenchRows; not for model_decode). The
// defaults take a second on the CPU. Worth measuring on a GPU: qwen2.5-0.5b, cuda, bf16, 64 prompts of 128 tokens, 16 samples,
// 256 new tokens (experiments/gpu_check.sh). Where the GPU's peak is known (harness/cuda/peak.h), shares of it are counted too.
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <cmath>
#include <cstdlib>

#include "harness/model/out_of_memory.h"
#include "harness/rollout/rollout_work.h"
#include "harness/train/benching.h"

namespace harness {
namespace {

std::string text_of(const char* name, const std::string& fallback) {
  const char* value = std::getenv((std::string("MEDSBENCH_BENCH_") + name).c_str());
  return value == nullptr ? fallback : value;
}

struct Setup {
  std::string model = text_of("MODEL", "nano"), device = text_of("DEVICE", "cpu"), dtype = text_of("DTYPE", "fp32");
  int64_t prompts = std::stoll(text_of("PROMPTS", "2")), samples = std::stoll(text_of("SAMPLES", "8"));
  int64_t prompt_tokens = std::stoll(text_of("PROMPT_TOKENS", "12")), new_tokens = std::stoll(text_of("NEW_TOKENS", "16"));
  int64_t micro_batch = std::stoll(text_of("MICRO_BATCH", "0")), stop_every = std::stoll(text_of("STOP_EVERY", "0"));

  [[nodiscard]] ModelConfig shape() const {
    if (model == "nano") return nano_shape();
    if (model == "smollm2-135m") return smollm2_shape();
    if (model == "qwen2.5-0.5b") return qwen_half_shape();
    require(model == "qwen3-1.7b",
            "MEDSBENCH_BENCH_MODEL: expected nano, smollm2-135m, qwen2.5-0.5b or qwen3-1.7b, found " + model);
    return qwen3_shape();
  }
  [[nodiscard]] Numerics numerics() const {
    require(device == "cpu" || device == "cuda", "MEDSBENCH_BENCH_DEVICE: expected cpu or cuda, found " + device);
    require(dtype == "fp32" || dtype == "bf16", "MEDSBENCH_BENCH_DTYPE: expected fp32 or bf16, found " + dtype);
    Numerics numerics;
    numerics.dtype = dtype == "fp32" ? torch::kFloat32 : torch::kBFloat16;
    numerics.device = device == "cpu" ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, 0);
    numerics.strict = device == "cpu";
    return numerics;
  }
  [[nodiscard]] BenchRows rows(const Transformer& of) const {
    return {of, prompts, samples, prompt_tokens, new_tokens, prompts * samples, stop_every};
  }
  [[nodiscard]] bool exact() const { return device == "cpu" && dtype == "fp32"; }
};

// The model, responses sampled from it, and what a forward pass over them takes. Made anew by each benchmark.
struct Bench {
  Setup setup;
  std::unique_ptr<Transformer> model = make_bench_model(setup.shape(), setup.numerics());
  BenchRows rows = setup.rows(*model);
  double forward = flops_of(model->config(), work_of(rows.rows));
  TrainSettings settings;
  Bench() {
    settings.optimizer.lr = 0;
    settings.micro_batch_responses = setup.micro_batch;
  }
};

// Per iteration.
void count(benchmark::State& state, const Setup& setup, double tokens, double flops, double bytes = 0) {
  const auto rate = [](double value) { return benchmark::Counter(value, benchmark::Counter::kIsIterationInvariantRate); };
  state.SetLabel(setup.model + " " + setup.device + " " + setup.dtype);
  state.SetItemsProcessed(static_cast<int64_t>(static_cast<double>(state.iterations()) * tokens));
  state.counters["flop_per_second"] = rate(flops);
  if (const int64_t peak = peak_device_bytes(setup.numerics().device))
    state.counters["peak_device_bytes"] = static_cast<double>(peak);
  if (bytes > 0) state.counters["bytes_per_second"] = rate(bytes);
  if (const auto peak = bench_peak(setup.device)) {
    state.counters["flop_utilisation"] = rate(flops / (setup.dtype == "bf16" ? peak->bf16_flops : peak->fp32_flops));
    if (bytes > 0) state.counters["bandwidth_share"] = rate(bytes / peak->bytes);
  }
}

// Tokens after the first of each response; the time is that of the decode steps, prompts left out.
void model_decode(benchmark::State& state) {
  const Bench bench;
  GeneratorSettings settings;
  settings.sampling.max_new_tokens = bench.setup.new_tokens;
  settings.max_rows = bench.setup.prompts * bench.setup.samples;
  GenerationTotals totals;
  const auto responses = generate(*bench.model, bench.rows.requests, settings, &totals);
  TokenWork decoded;
  double bytes = static_cast<double>(totals.steps) * decode_weight_bytes(*bench.model);
  for (const auto& group : responses) {
    const RolloutWork work = rollout_work(*bench.model, bench.setup.prompt_tokens, group);
    decoded.add(work.decoded);
    bytes += work.kv_bytes;
    for (const SampledResponse& response : group)
      require(response.tokens() == bench.setup.new_tokens, "a response has another length");
  }
  for (auto _ : state) {
    totals = {};
    benchmark::DoNotOptimize(generate(*bench.model, bench.rows.requests, settings, &totals));
    state.SetIterationTime(totals.decode_seconds);
  }
  count(state, bench.setup, decoded.tokens, flops_of(bench.model->config(), decoded), bytes);
}
BENCHMARK(model_decode)->Unit(benchmark::kMillisecond)->UseManualTime();

// Log-probs and entropies of all responses, no gradient.
void model_scoring(benchmark::State& state) {
  const Bench bench;
  const RowStatistics scored = score_rows(*bench.model, {bench.rows.rows, bench.settings});
  for (size_t b = 0; b < scored.log_probs.size(); ++b) {
    for (size_t t = 0; t < scored.log_probs[b].size(); ++t) {
      const float sampled = bench.rows.rows[b].old_log_probs[t], now = scored.log_probs[b][t];
      require(bench.setup.exact() ? now == sampled : std::abs(now - sampled) < 0.5F,
              "scored log-probs differ from sampled ones");
    }
  }
  for (auto _ : state) benchmark::DoNotOptimize(score_rows(*bench.model, {bench.rows.rows, bench.settings}));
  count(state, bench.setup, static_cast<double>(bench.rows.tokens), bench.forward);
}
BENCHMARK(model_scoring)->Unit(benchmark::kMillisecond)->UseRealTime();

void check_update(const Setup& setup, const Metrics& metrics) {
  require(std::isfinite(metrics.at("loss")) && metrics.at("grad_norm") > 0, "there is no gradient");
  if (setup.exact()) require(metrics.at("largest_log_ratio") == 0, "the first ratio is not 1");
}

// Forward, backward and AdamW of all responses as one mini-batch, at learning rate 0.
void model_update(benchmark::State& state) {
  Bench bench;
  Optimizer optimizer(*bench.model, bench.settings.optimizer);
  MethodStack methods;
  const auto update = [&] {
    return update_mini_batch(*bench.model, optimizer, methods, {bench.rows.rows, bench.settings}).value();
  };
  check_update(bench.setup, update());
  for (auto _ : state) benchmark::DoNotOptimize(update());
  count(state, bench.setup, static_cast<double>(bench.rows.tokens), 3 * bench.forward);
}
BENCHMARK(model_update)->Unit(benchmark::kMillisecond)->UseRealTime();

// Sampling and the update: a step without grading.
void model_step(benchmark::State& state) {
  Bench bench;
  Optimizer optimizer(*bench.model, bench.settings.optimizer);
  MethodStack methods;
  const Setup& s = bench.setup;
  const auto step = [&] {
    const BenchRows rows = s.rows(*bench.model);
    return update_mini_batch(*bench.model, optimizer, methods, {rows.rows, bench.settings}).value();
  };
  check_update(s, step());
  for (auto _ : state) benchmark::DoNotOptimize(step());
  count(state, s, static_cast<double>(bench.rows.tokens), 4 * bench.forward);
}
BENCHMARK(model_step)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace harness
