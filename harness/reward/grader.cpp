#include "harness/reward/grader.h"

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

std::string error_label(const Verdict& verdict, const Problem& problem) {
  if (verdict.correctness == Correctness::right || !verdict.normalised) return {};
  const auto known = problem.error_labels.find(*verdict.normalised);
  if (known != problem.error_labels.end()) return known->second;
  return problem.has_error_labels ? "slip" : "";
}

}  // namespace harness
