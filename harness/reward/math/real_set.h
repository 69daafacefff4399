// Sets of real numbers as unions of intervals, however an answer says them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/reward/latex/expression.h"
#include "harness/reward/math/math_equality.h"

namespace harness {

// An end of an interval: its value, infinite or not, and what was written for it.
struct RealEnd {
  long double value = 0;
  bool open = true;
  Expression written;
};

struct RealInterval {
  RealEnd low;
  RealEnd high;
};

struct RealSet {
  std::vector<RealInterval> intervals;  // ascending, disjoint, none touching the next
  std::string variable;                 // of the condition that says it; "" where it needs none
};

// Whether x can only be read as a set of reals: an inequality, a union, a difference, \mathbb{R}, a set builder, a list with
// one of them.
bool says_real_set(const Expression& x);

// The set that x says: intervals, finite sets, their unions, intersections and differences, \mathbb{R}, set builders,
// conditions on one symbol that are linear or linear inside of bars (`|x - 1| \ge 2`), lists of them: "or" is a union, "and" an
// intersection, a comma an intersection where that is not empty. None for anything else. Throws OutOfSteps.
std::optional<RealSet> read_real_set(const Expression& x, StepBudget& budget);

// `different` also where both name their variable and not the same.
Equality compare_real_sets(const RealSet& gold, const RealSet& found, const EqualityRule& rule, StepBudget& budget);

}  // namespace harness
