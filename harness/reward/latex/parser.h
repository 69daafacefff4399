// Parser: a cleaned LaTeX (or plain) answer as an Expression.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/reward/latex/expression.h"

namespace harness {

// Reads the whole text: lists, relations, sums, products (also implicit), powers, fractions, roots, functions, sets, tuples,
// intervals, unions, matrices, mixed numbers, repeating decimals, scientific notation, `\pm` (a list of two). None where the
// text does not have that form. Nesting is bounded; work is taken from the budget (OutOfSteps).
std::optional<Expression> parse_answer(std::string_view text, StepBudget& budget);

}  // namespace harness
