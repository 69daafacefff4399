// Grader "recipe": the verifier of the published training recipe (string equality after Hendrycks-style normalisation).
#pragma once

#include "harness/reward/grader.h"

namespace harness {

// Extraction: recipe_boxed_answer. Equality: both sides hendrycks_normalise'd; where that fails for either, the raw strings.
// Never undecided.
class RecipeGrader final : public Grader {
 public:
  [[nodiscard]] std::string name() const override { return "recipe"; }
  [[nodiscard]] Verdict grade(std::string_view response, const Problem& problem) const override;
};

}  // namespace harness
