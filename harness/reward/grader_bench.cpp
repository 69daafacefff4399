// Answers graded a second on one core.
#include <benchmark/benchmark.h>

#include <stdexcept>

#include "harness/reward/all_graders.h"

namespace {

struct Pair {
  const char* answer;
  const char* gold;
};

constexpr Pair kPairs[] = {{"42", "42"},
                           {"\\frac{1}{2}", "0.5"},
                           {"\\dfrac{3}{4}", "\\frac34"},
                           {"2\\sqrt{3}", "\\sqrt{12}"},
                           {"(1, 2)", "(1,2)"},
                           {"x^2+2x+1", "(x+1)^2"},
                           {"1, 2, 3", "3,2,1"},
                           {"12\\text{ cm}", "12"},
                           {"\\frac{\\pi}{6}", "\\pi/6"},
                           {"17", "18"},
                           {"[0, 1)", "[0,1)"},
                           {"y = 2x + 1", "y=2x+1"},
                           {"50\\%", "0.5"},
                           {"\\frac{x+1}{x-1}", "1+\\frac{2}{x-1}"},
                           {"1,000", "1000"},
                           {"\\text{even}", "even"}};

void BM_Grade(benchmark::State& state, const char* name) {
  const std::unique_ptr<harness::Grader> grader = harness::make_grader(name);
  std::vector<std::pair<std::string, harness::Problem>> cases;
  for (const Pair& pair : kPairs) {
    harness::Problem problem;
    problem.answer = pair.gold;
    cases.emplace_back("Adding them up, the answer is $\\boxed{" + std::string(pair.answer) + "}$.", problem);
  }
  if (grader->grade(cases[0].first, cases[0].second).correctness != harness::Correctness::right) {
    throw std::logic_error("the grader refuses 42 for 42");
  }
  for (auto _ : state) {
    for (const auto& [response, problem] : cases) benchmark::DoNotOptimize(grader->grade(response, problem));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(cases.size()));
}

BENCHMARK_CAPTURE(BM_Grade, recipe, "recipe");
BENCHMARK_CAPTURE(BM_Grade, limo, "limo");
BENCHMARK_CAPTURE(BM_Grade, math, "math");

}  // namespace
