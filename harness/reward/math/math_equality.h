// Equality of two parsed answers, as a mathematician would see it.
#pragma once

#include <string>

#include "harness/reward/latex/expression.h"

namespace harness {

enum class Equality { equal, different, unknown };

struct EqualityRule {
  // A numeric answer may be off by this much (a data set's own tolerance); negative: none.
  long double tolerance = -1;
};

// Whether `found` answers what `gold` asks. Numbers are compared exactly; where one is written as a decimal, after rounding to
// 6 places (below 1e-5: to 1e-6 of their size), but never a whole number to one that is not. Expressions with symbols are
// compared at pseudo-random points. Lists and sets are unordered, tuples and intervals ordered; 50% is 0.5 and, where both are
// whole, 50. "x = 5" answers 5, two equations are equal if one is a multiple of the other, an inequality in one symbol is its
// interval. `unknown`: a value is undefined or out of range. Throws OutOfSteps.
Equality compare_answers(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget);

// Equality of two lists of answers in any order.
Equality compare_unordered(const std::vector<Expression>& gold, const std::vector<Expression>& found, const EqualityRule& rule,
                           StepBudget& budget);

// infinity or a multiple of it.
bool is_infinite(const Expression& x);
// Equality of two values without structure.
Equality compare_scalars(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget);
// Whether a = c * b for one non-zero constant c; `positive`: c > 0.
Equality compare_up_to_factor(const Expression& a, const Expression& b, bool positive, StepBudget& budget);

}  // namespace harness
