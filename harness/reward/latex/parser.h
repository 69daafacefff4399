// Parser: a cleaned LaTeX (or plain) answer as an Expression.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/reward/latex/expression.h"

namespace harness {

// Reads the whole text: lists, relations, sums, products (also implicit), powers, fractions, roots, functions, sets, tuples,
// intervals, unions, set builders, matrices, mixed numbers, ratios, times of day, repeating decimals, scientific notation,
// `\pm` (a list of two); a number beside a number is none of these. None where the text does not have that form. Nesting is
// bounded; work is taken from the budget (OutOfSteps). Letters count without their case but for those of `cased` (in lower
// case) and a bare E or I, which are neither e nor i.
std::optional<Expression> parse_answer(std::string_view text, std::string_view cased, StepBudget& budget);

// The letters, in lower case, of which the text has both cases outside of commands and \text{}: two symbols each.
std::string letters_of_both_cases(std::string_view text);

}  // namespace harness
