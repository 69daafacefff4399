// LIMO's equality of two cleaned answers.
#pragma once

#include <string>

#include "harness/reward/latex/expression.h"

namespace harness {

// True where LIMO's checker accepts `found` for `gold` (both after limo_clean): equal strings but for case; choice letters;
// comma lists with their parts sorted as text; numbers to an absolute 1e-4 or relative 1e-9, also times 100 and over 100; equal
// but for brackets; tuples and matrices part by part; equations; and what sympy would find equal (parse_sympy_latex, then plain
// tuples, lists and sets). Throws OutOfSteps.
bool limo_equal(const std::string& found, const std::string& gold, StepBudget& budget, int depth = 0);

// What `symbolic_equal` of the checker says of two texts.
bool limo_symbolic_equal(const std::string& found, const std::string& gold, StepBudget& budget);

}  // namespace harness
