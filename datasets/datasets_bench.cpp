#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <stdexcept>
#include <string>

#include "datasets/catalog.h"
#include "datasets/duplicates.h"
#include "datasets/published.h"
#include "harness/core/random.h"
#include "harness/data/records.h"

namespace datasets {
namespace {

constexpr int64_t kLines = 2000;

// Lines of about 500 bytes in the fields of GSM8K.
std::string gsm8k_lines() {
  const harness::RandomStream stream("bench lines", {0});
  std::string lines;
  uint64_t counter = 0;
  for (int64_t i = 0; i < kLines; ++i) {
    harness::Json record;
    std::string question;
    for (int word = 0; word < 60; ++word) question += fmt::format("w{} ", stream.below(counter++, 5000));
    record["question"] = question;
    record["answer"] = fmt::format("Some steps.\nMore steps.\n#### {}", i);
    lines += record.dump() + "\n";
  }
  return lines;
}

std::vector<harness::Problem> map_all(const std::string& lines) {
  std::vector<harness::Problem> problems;
  const PublishedSet& set = *find_published_set("gsm8k");
  harness::read_json_lines(
      lines, "lines", [&](const harness::Json& record, const std::string&) { problems.push_back(*map_record(set, record)); });
  return problems;
}

void read_published_lines(benchmark::State& state) {
  const std::string lines = gsm8k_lines();
  if (map_all(lines).back().answer != std::to_string(kLines - 1)) throw std::logic_error("wrong last answer");
  for (auto _ : state) benchmark::DoNotOptimize(map_all(lines));
  state.SetItemsProcessed(state.iterations() * kLines);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(lines.size()));
}
BENCHMARK(read_published_lines)->Unit(benchmark::kMillisecond);

void find_contamination(benchmark::State& state) {
  harness::ProblemSet train{"train", map_all(gsm8k_lines())};
  harness::ProblemSet test{"test", {train.problems.begin(), train.problems.begin() + 200}};
  if (check_contamination({train}, test).same_text != 200) throw std::logic_error("expected 200 known problems");
  for (auto _ : state) benchmark::DoNotOptimize(check_contamination({train}, test));
  state.SetItemsProcessed(state.iterations() * (kLines + 200));
}
BENCHMARK(find_contamination)->Unit(benchmark::kMillisecond);

void draw_demonstrations(benchmark::State& state, const char* name) {
  const auto source = load_demonstrations(name);
  if (source->draw(0).response.find("\\boxed{") == std::string::npos) throw std::logic_error("expected a boxed answer");
  uint64_t index = 0;
  for (auto _ : state) benchmark::DoNotOptimize(source->draw(index++));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(draw_demonstrations, nano, "nano");
BENCHMARK_CAPTURE(draw_demonstrations, words, "words");

}  // namespace
}  // namespace datasets
