#include "harness/reward/recipe/recipe_grader.h"

#include <fmt/format.h>

#include "harness/reward/answer/boxed.h"
#include "harness/reward/recipe/hendrycks.h"

namespace harness {

Verdict RecipeGrader::grade(std::string_view response, const Problem& problem) const {
  Verdict verdict;
  verdict.extracted = recipe_boxed_answer(response);
  if (!verdict.extracted) {
    verdict.why = "no \\boxed answer with balanced braces";
    return verdict;
  }
  const std::optional<std::string> found = hendrycks_normalise(*verdict.extracted);
  const std::optional<std::string> gold = hendrycks_normalise(problem.answer);
  verdict.normalised = found ? *found : *verdict.extracted;
  const bool equal = found && gold ? *found == *gold : *verdict.extracted == problem.answer;
  verdict.correctness = equal ? Correctness::right : Correctness::wrong;
  if (found && gold) {
    verdict.why = fmt::format("normalised strings \"{}\" and \"{}\" {}", *found, *gold, equal ? "are equal" : "differ");
  } else {
    verdict.why = fmt::format("normalisation of the {} fails, so the raw strings are compared: they {}",
                              found ? "gold answer" : "answer", equal ? "are equal" : "differ");
  }
  return verdict;
}

}  // namespace harness
