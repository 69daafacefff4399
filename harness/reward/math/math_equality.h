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
// 6 places (below 0.01: to 1e-5 of their size), but never a whole number to one that is not. Expressions with symbols are
// compared at pseudo-random points. Lists and sets are unordered, tuples and intervals ordered, sets of reals equal however
// they are said (real_set.h); 50% is 0.5 and 50, 12.5% is 12.5, but 0.5% is no 0.5. Two times of day are equal as such, 3:4 is
// 6:8. "x = 5" answers 5, two equations are equal if one is a multiple of the other. `unknown`: a value is undefined, or out of
// range and of the same size. Throws OutOfSteps.
Equality compare_answers(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget);

// Equality of two lists of answers in any order.
Equality compare_unordered(const std::vector<Expression>& gold, const std::vector<Expression>& found, const EqualityRule& rule,
                           StepBudget& budget);

// 1: infinity or a positive multiple of it, -1: a negative one, 0: neither.
int infinity_sign(const Expression& x);
// Equality of two values without structure.
Equality compare_scalars(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget);
// Whether a = c * b for one non-zero constant c; `positive`: c > 0.
Equality compare_up_to_factor(const Expression& a, const Expression& b, bool positive, StepBudget& budget);

}  // namespace harness
