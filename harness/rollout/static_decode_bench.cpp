// One decode step of the rollout engine on a GPU, from ids to drawn tokens: its floor at few rows, and its share of the roof at
// many. Without a GPU each says so.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "harness/cuda/device.h"
#include "harness/rollout/benching.h"
#include "harness/rollout/static_decoder.h"

#ifdef MEDSBENCH_CUDA
#include <cuda_runtime_api.h>
#endif

namespace harness {
namespace {

constexpr int64_t kPrefix = 128, kOwn = 128, kShared = 16;  // positions of a prompt and of a response; samples of one prompt

struct Roof {
  double bandwidth = 0;   // bytes a second, from the memory's clock and bus
  double peak_flops = 0;  // dense bf16, from the data sheet of H100 and H200 (SXM); 0: not known
  [[nodiscard]] double seconds(double flops, double bytes) const { return std::max(flops / peak_flops, bytes / bandwidth); }
};

Roof find_roof(const cuda::Devices& devices) {
  Roof roof;
#ifdef MEDSBENCH_CUDA
  int kilohertz = 0, bits = 0;
  cudaDeviceGetAttribute(&kilohertz, cudaDevAttrMemoryClockRate, 0);
  cudaDeviceGetAttribute(&bits, cudaDevAttrGlobalMemoryBusWidth, 0);
  roof.bandwidth = 2.0 * kilohertz * 1e3 * bits / 8;
#endif
  if (devices.name.find("H100") != std::string::npos || devices.name.find("H200") != std::string::npos)
    roof.peak_flops = 989e12;
  return roof;
}

// The sum over the parts of a step of what takes longer, computing or reading and writing: products, attention, logits.
double roof_seconds(const Roof& roof, const ModelConfig& c, int64_t rows) {
  const auto product = [&](int64_t out, int64_t in) {
    const auto m = static_cast<double>(rows), n = static_cast<double>(out), k = static_cast<double>(in);
    return roof.seconds(2 * m * n * k, 2 * (n * k + m * (n + k)));
  };
  const int64_t prompts = (rows + kShared - 1) / kShared, q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
  const double attention =
      roof.seconds(4.0 * static_cast<double>(rows * (kPrefix + kOwn) * q),
                   4.0 * static_cast<double>((prompts * kPrefix + rows * kOwn) * kv));  // a prefix is read once a prompt
  const double layer = product(q + 2 * kv, c.width) + attention + product(c.width, q) + product(2 * c.mlp_width, c.width) +
                       product(c.width, c.mlp_width);
  return static_cast<double>(c.layers) * layer + product(c.vocab_size, c.width);
}

// Rows in the middle of their responses, kShared to a prompt. Stores hold zeros: how long attention takes does not depend on
// it.
struct Stores {
  Stores(const Transformer& model, int64_t rows)
      : prompts(model.config().layers, std::vector<int64_t>(static_cast<size_t>((rows + kShared - 1) / kShared), kPrefix),
                model.heads(), model.numerics().dtype, model.numerics().device),
        own(model.config().layers, std::vector<int64_t>(static_cast<size_t>(rows), kOwn), model.heads(), model.numerics().dtype,
            model.numerics().device) {}
  KvStore prompts, own;
};

void check_step(const Transformer& model, const StepRows& in, const StepResults& found) {
  const auto rows = static_cast<int64_t>(in.ids.size());
  const torch::Tensor logits = model.logits(model.decode(in.ids, in.positions, in.places)).slice(0, 0, rows);
  const auto tokens = torch::from_blob(const_cast<int64_t*>(found.tokens), {rows, 1}, torch::kInt64);
  const torch::Tensor expected = torch::log_softmax(logits.to(torch::kFloat32), -1).cpu().gather(1, tokens).squeeze(1);
  const auto log_probs = torch::from_blob(const_cast<float*>(found.log_probs), {rows}, torch::kFloat32);
  require(torch::allclose(log_probs, expected, 0, 0.05), "a static step differs from a dynamic one");
}

// range(0): 1 Qwen2.5-0.5B, 0 SmolLM2-135M; range(1): rows; range(2): 1 each step is started before the last has finished, as
// the generator does, 0 each by itself.
void static_decode_step(benchmark::State& state) {
  const cuda::Devices devices = cuda::find_devices();
  if (devices.count == 0) {
    state.SkipWithError(("skipped without a GPU: " + devices.why_none).c_str());
    return;
  }
  const torch::NoGradGuard no_grad;
  const ModelConfig shape = state.range(0) != 0 ? qwen_half_shape() : smollm2_shape();
  const auto model = make_bench_model(shape, Numerics{torch::kBFloat16, torch::Device(torch::kCUDA, 0), false});
  const int64_t rows = state.range(1);
  Stores stores(*model, rows);
  StepRows in;
  const RandomStream stream("bench step", {1});
  for (int64_t r = 0; r < rows; ++r) {
    in.ids.push_back(r % shape.vocab_size);
    in.positions.push_back(kPrefix + kOwn - 1);
    in.uniforms.push_back(stream.uniform(static_cast<uint64_t>(r)));
    in.places.push_back({&stores.own, r, kOwn - 1, &stores.prompts, r / kShared, kPrefix});
  }
  StaticDecoderSettings settings;
  settings.max_rows = rows;
  settings.longest_prefix = kPrefix;
  settings.longest_own = kOwn;
  StaticDecoder decoder(*model, *ops::gpu::kernels_for(model->head()), settings);
  for (int64_t run = 0; run <= StepRunner::kDirectRuns; ++run) check_step(*model, in, decoder.step(in));
  const bool ahead = state.range(2) != 0;
  if (ahead) {
    for (int64_t r = 0; r < rows; ++r) in.sources.push_back(r);
    decoder.start(in);
  }
  for (auto _ : state) {
    decoder.start(in);
    benchmark::DoNotOptimize(decoder.finish());
  }
  state.SetItemsProcessed(state.iterations() * rows);
  const Roof roof = find_roof(devices);
  if (roof.peak_flops > 0) {
    state.counters["share_of_roof"] =
        benchmark::Counter(roof_seconds(roof, shape, rows), benchmark::Counter::kIsIterationInvariantRate);
  }
}
BENCHMARK(static_decode_step)
    ->ArgNames({"qwen", "rows", "ahead"})
    ->ArgsProduct({{1, 0}, {1, 16, 64, 256, 1024}, {0, 1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace harness
