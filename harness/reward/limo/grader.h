// Grader "limo": the checker of LIMO (GAIR), which the paper's evaluation used, quirks included.
#pragma once

#include "harness/reward/grader.h"

namespace harness {

// limo_extract, limo_clean on both sides, limo_equal. Where the checker gives up after 3 seconds and says wrong, the step
// budget ends and the verdict is undecided. Its last resort, a second LaTeX library tried on what sympy cannot read, is
// reproduced for leading zeros and for brackets around a matrix; other such texts are right only where they are equal.
class LimoGrader final : public Grader {
 public:
  [[nodiscard]] std::string name() const override { return "limo"; }
  [[nodiscard]] Verdict grade(std::string_view response, const Problem& problem) const override;
};

}  // namespace harness
