// Grader "math": ours, what a mathematician would accept.
#pragma once

#include "harness/reward/grader.h"

namespace harness {

// Extraction: last_balanced_box. Equality: the cleaned texts, else the parsed expressions (math_equality.h), against
// Problem::answer, or against all of Problem::answers in any order, with the problem's unit and tolerance. Where the gold has
// several values, neighbouring boxes are also read as one list. Undecided where the step budget ends or a value overflows;
// what cannot be parsed is compared as text.
class MathGrader final : public Grader {
 public:
  [[nodiscard]] std::string name() const override { return "math"; }
  [[nodiscard]] Verdict grade(std::string_view response, const Problem& problem) const override;
};

}  // namespace harness
