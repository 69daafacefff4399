// Scoring a set: bootstrap, maj@k and the diversity of responses.
#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "harness/core/random.h"
#include "harness/metrics/set_score.h"

namespace {

using harness::Outcome;
using harness::RandomStream;

std::vector<Outcome> outcomes(int64_t seeds, int64_t problems, int64_t n, bool texts) {
  const RandomStream stream("score benchmark", {1});
  std::vector<Outcome> all;
  uint64_t counter = 0;
  for (int64_t seed = 0; seed < seeds; ++seed) {
    for (int64_t problem = 0; problem < problems; ++problem) {
      for (int64_t i = 0; i < n; ++i) {
        Outcome outcome;
        outcome.problem = std::to_string(problem);
        outcome.seed = seed;
        outcome.sample = i;
        const uint64_t answer = stream.below(counter++, 8);
        outcome.normalised = std::to_string(answer);
        outcome.verdicts["g"] = answer == 0 ? harness::Correctness::right : harness::Correctness::wrong;
        for (int word = 0; texts && word < 50; ++word) outcome.text += std::to_string(stream.below(counter++, 200)) + " ";
        for (int value = 0; texts && value < 12; ++value)
          outcome.fingerprint.push_back(static_cast<float>(stream.normal(counter++)));
        all.push_back(std::move(outcome));
      }
    }
  }
  return all;
}

// 10,000 replicates of pass@1 over problems x 5 seeds.
void bootstrap_of_means(benchmark::State& state) {
  const int64_t problems = state.range(0);
  const RandomStream stream("score benchmark", {2});
  harness::SeedTable table;
  for (int64_t s = 0; s < 5; ++s) table.seeds.push_back(s + 1);
  for (int64_t p = 0; p < problems; ++p) table.problems.push_back(std::to_string(10000 + p));
  for (int64_t i = 0; i < 5 * problems; ++i) table.values.push_back(stream.uniform(static_cast<uint64_t>(i)));
  const std::vector<harness::SeedTable> tables = {table};
  const auto check = harness::crossed_bootstrap(tables, stream)[0];
  if (!(check.low < check.value && check.value < check.high)) throw std::logic_error("an interval about its value");
  for (auto _ : state) benchmark::DoNotOptimize(harness::crossed_bootstrap(tables, stream));
  state.SetItemsProcessed(state.iterations() * 10000);
}
BENCHMARK(bootstrap_of_means)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

// pass@k and maj@k for all k with intervals and what answers alone say of diversity, n = 128: items are responses.
void score_answers(benchmark::State& state) {
  const auto all = outcomes(3, 100, 128, false);
  if (harness::score_outcomes(all, "g").means.size() != 8 * 5) throw std::logic_error("eight values of k");
  for (auto _ : state) benchmark::DoNotOptimize(harness::score_outcomes(all, "g"));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(all.size()));
}
BENCHMARK(score_answers)->Unit(benchmark::kMillisecond);

void measure_diversity(benchmark::State& state) {
  const auto all = outcomes(1, 20, 128, true);
  if (harness::diversity_of(all, "g").values.at("distinct_answers") != 8) throw std::logic_error("eight answers");
  for (auto _ : state) benchmark::DoNotOptimize(harness::diversity_of(all, "g"));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(all.size()));
}
BENCHMARK(measure_diversity)->Unit(benchmark::kMillisecond);

}  // namespace
