// Model loading in bytes of the file a second of processor time (run with OMP_NUM_THREADS=1), the file in the page cache:
// reading the mapping, and filling a Transformer.
// MEDSBENCH_LOADING_MB sets the size of the weights (64; the folder is made in the temporary folder and removed).
#include <benchmark/benchmark.h>
#include <torch/types.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "harness/model/files/weights.h"
#include "harness/model/transformer.h"

namespace harness {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error("benchmark: " + what);
}

// As many layers of width 1024 as give about the size asked for.
ModelConfig shape_of(int64_t bytes, int64_t item_size) {
  ModelConfig config;
  config.vocab_size = 8192;
  config.width = 1024;
  config.heads = 16;
  config.kv_heads = 16;
  config.head_dim = 64;
  config.mlp_width = 2816;
  config.tied_head = true;
  const int64_t embedding = config.vocab_size * config.width;
  const int64_t layer = 4 * config.width * config.width + 3 * config.width * config.mlp_width;
  config.layers = std::max<int64_t>(1, (bytes / item_size - embedding + layer / 2) / layer);
  return config;
}

// A folder of weights between -0.02 and 0.02, from a hash of their index; gone with the object.
class WeightFolder {
 public:
  explicit WeightFolder(torch::Dtype dtype)
      : path_(std::filesystem::temp_directory_path() / ("loading_bench_" + std::to_string(::getpid()))) {
    const char* megabytes = std::getenv("MEDSBENCH_LOADING_MB");
    const int64_t bytes = int64_t{1'000'000} * (megabytes == nullptr ? 64 : std::atoll(megabytes));
    Numerics numerics;
    numerics.dtype = dtype;
    made_ = std::make_unique<Transformer>(shape_of(bytes, torch::elementSize(dtype)), numerics);
    const torch::NoGradGuard no_grad;
    for (Parameter& parameter : made_->parameters()) {
      torch::Tensor hash = torch::arange(parameter.value.numel(), torch::kFloat32).mul_(0.37F).sin_().mul_(0.02F);
      parameter.value.copy_(hash.view_as(parameter.value));
    }
    made_->save(path_.string());
  }
  ~WeightFolder() { std::filesystem::remove_all(path_); }
  WeightFolder(const WeightFolder&) = delete;
  WeightFolder& operator=(const WeightFolder&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] const Transformer& made() const { return *made_; }
  [[nodiscard]] int64_t bytes() const {
    return made_->parameter_count() * static_cast<int64_t>(torch::elementSize(made_->numerics().dtype));
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<Transformer> made_;
};

// Every byte of the mapped weights is read once.
uint64_t sum_of(const std::map<std::string, torch::Tensor>& weights) {
  uint64_t sum = 0;
  for (const auto& [name, tensor] : weights) {
    const auto* words = static_cast<const uint64_t*>(tensor.const_data_ptr());
    const size_t count = tensor.nbytes() / sizeof(uint64_t);
    for (size_t i = 0; i < count; ++i) sum += words[i];
  }
  return sum;
}

void read_mapped(benchmark::State& state, torch::Dtype dtype) {
  const WeightFolder folder(dtype);
  const auto shapes = tensor_shapes(folder.made().config());
  const auto weights = load_weights(folder.path(), shapes);
  require(torch::equal(weights.at("model.embed_tokens.weight"), folder.made().head()),
          "a mapped tensor differs from the one saved");
  for (auto _ : state) benchmark::DoNotOptimize(sum_of(load_weights(folder.path(), shapes)));
  state.SetBytesProcessed(state.iterations() * folder.bytes());
}
BENCHMARK_CAPTURE(read_mapped, fp32, torch::kFloat32)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_mapped, bf16, torch::kBFloat16)->Unit(benchmark::kMillisecond);

void load_transformer(benchmark::State& state, torch::Dtype stored, torch::Dtype computed) {
  const WeightFolder folder(stored);
  Numerics numerics;
  numerics.dtype = computed;
  const auto loaded = Transformer::load(folder.path(), numerics);
  for (size_t i = 0; i < loaded->parameters().size(); ++i) {
    const torch::Tensor& value = folder.made().parameters()[i].value;
    require(torch::equal(loaded->parameters()[i].value, value.to(computed)), "a parameter differs from the one saved");
  }
  for (auto _ : state) benchmark::DoNotOptimize(Transformer::load(folder.path(), numerics));
  state.SetBytesProcessed(state.iterations() * folder.bytes());
}
BENCHMARK_CAPTURE(load_transformer, fp32, torch::kFloat32, torch::kFloat32)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load_transformer, bf16, torch::kBFloat16, torch::kBFloat16)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load_transformer, bf16_to_fp32, torch::kBFloat16, torch::kFloat32)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace harness
