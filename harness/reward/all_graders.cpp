#include "harness/reward/all_graders.h"

#include <fmt/ranges.h>

#include "harness/core/error.h"
#include "harness/reward/last_number_grader.h"
#include "harness/reward/limo/grader.h"
#include "harness/reward/math/math_grader.h"
#include "harness/reward/recipe/recipe_grader.h"

namespace harness {

std::vector<std::string> grader_names() { return {"recipe", "limo", "math", "last_number"}; }

std::unique_ptr<Grader> make_grader(const std::string& name) {
  if (name == "recipe") return std::make_unique<RecipeGrader>();
  if (name == "limo") return std::make_unique<LimoGrader>();
  if (name == "math") return std::make_unique<MathGrader>();
  if (name == "last_number") return std::make_unique<LastNumberGrader>();
  throw Error("grader: expected one of {}, found \"{}\"", fmt::join(grader_names(), ", "), name);
}

Graders::Graders(const std::vector<std::string>& names) {
  for (const std::string& name : names) graders_.push_back(make_grader(name));
}

void Graders::grade(Outcome& outcome, const Problem& problem) const {
  outcome.verdicts.clear();
  for (const auto& grader : graders_) {
    const Verdict verdict = grader->grade(outcome.text, problem);
    outcome.verdicts[grader->name()] = verdict.correctness;
    if (grader != graders_.front()) continue;
    outcome.extracted = verdict.extracted;
    outcome.normalised = verdict.normalised;
    outcome.error_label = error_label(verdict, problem, outcome.text);
  }
}

}  // namespace harness
