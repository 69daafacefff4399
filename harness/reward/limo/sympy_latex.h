// The LaTeX grammar of sympy's parser, as far as answers need it, with what it does on text it does not know.
#pragma once

#include <optional>
#include <string_view>

#include "harness/reward/latex/expression.h"

namespace harness {

// The expression that sympy.parsing.latex.parse_latex gives (its default parser), or none where it raises. Quirks kept: it
// stops silently at the first token that cannot go on ("2,x" is 2, "1-\sqrt5" is 1) unless inside brackets; `x(y+1)` is a
// function; every name, \pi, e and i too, is a free symbol (here "$name"); \log is natural; a comma before exactly three digits
// belongs to the number. A relation is an Op::relation of two sides. Sums, integrals, limits and derivatives are not read
// (none).
// "05" is no number to it; with LeadingZeros::read it is 5.
enum class LeadingZeros { raise, read };
std::optional<Expression> parse_sympy_latex(std::string_view text, StepBudget& budget,
                                            LeadingZeros zeros = LeadingZeros::raise);

}  // namespace harness
