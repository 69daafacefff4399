// What a step of the error memory costs once it holds many steps: looking up, adding and clustering; saving.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>

#include "harness/core/error.h"
#include "harness/core/random.h"
#include "meds/memory.h"

namespace meds {
namespace {

constexpr int64_t kProblems = 240, kGroups = 16, kSamples = 16, kDimension = 3;  // a training of the nano suite

// The wrong responses of one step: 16 problems, each with 16 responses around six error patterns.
struct Step {
  explicit Step(int64_t step) {
    const harness::RandomStream stream("memory bench", {static_cast<uint64_t>(step)});
    uint64_t draw = 0;
    for (int64_t g = 0; g < kGroups; ++g) {
      const auto problem = static_cast<uint64_t>((step * kGroups + g) % kProblems);
      for (int64_t s = 0; s < kSamples; ++s) {
        const uint64_t pattern = stream.below(draw++, 6);
        const harness::RandomStream centre("memory bench centre", {problem, pattern});
        harness::Sample sample;
        sample.problem = problem;
        sample.has_answer = true;
        sample.answer = std::to_string(pattern);
        sample.error_label = "pattern " + std::to_string(pattern);
        for (uint64_t k = 0; k < kDimension; ++k) {
          sample.fingerprint.push_back(static_cast<float>(centre.normal(k) + 0.05 * stream.normal(draw++)));
        }
        samples.push_back(sample);
      }
    }
  }
  std::vector<harness::Sample> samples;
};

std::unique_ptr<ErrorMemory> memory_after(int64_t steps) {
  auto memory = std::make_unique<ErrorMemory>(Settings{});
  for (int64_t step = 1; step <= steps; ++step) (void)memory->recall_and_store(Step(step).samples, step);
  return memory;
}

// Steps of 256 wrong responses from step range(0) on; the history of a problem then holds range(0) * 16 / 15 responses and
// more.
void BM_RecallAndStore(benchmark::State& state) {
  const auto memory = memory_after(state.range(0));
  int64_t step = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    const Step next(++step);
    state.ResumeTiming();
    benchmark::DoNotOptimize(memory->recall_and_store(next.samples, step));
  }
  MEDSBENCH_CHECK(memory->size() == step * kGroups * kSamples, "a response was not stored");
}
BENCHMARK(BM_RecallAndStore)->Arg(10)->Arg(100)->Arg(1000)->Iterations(15)->Unit(benchmark::kMicrosecond);  // each problem once

// A checkpoint that follows another: the files that are full are linked.
void BM_Save(benchmark::State& state) {
  const auto memory = memory_after(state.range(0));
  const std::filesystem::path root = std::filesystem::temp_directory_path() / "medsbench_memory_bench";
  std::string folder = root / "new", previous = root / "old";
  memory->save(folder);
  for (auto _ : state) {
    std::swap(folder, previous);
    memory->save(folder, "meds", previous);
  }
  ErrorMemory loaded(memory->settings());
  loaded.load(folder);
  MEDSBENCH_CHECK(loaded.size() == memory->size(), "a saved memory has another size");
  std::filesystem::remove_all(root);
}
BENCHMARK(BM_Save)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace meds
