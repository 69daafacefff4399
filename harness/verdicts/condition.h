// Condition: what must hold of two rows before verdicts on others are printed; fixed beforehand, each one test by itself.
#pragma once

#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/verdicts/verdicts.h"

namespace harness {

struct Condition {
  enum class Is {
    better,       // by 95 % of this test alone, and the difference seen is `by` or more
    worse,        // the same below
    equivalent,   // within the margin, by two one-sided tests at 5 %
    not_better,   // `better` is not shown
    not_worse,    // `worse` is not shown
    equal_bytes,  // every stored count of every problem is the same, at every seed of both rows
  };
  std::string name;          // as shown, unique
  std::string row, against;  // rows of one base model
  std::string metric;        // column such as "average pass@128"; "" of equal_bytes
  Is is = Is::better;
  double by = 0;  // in the unit of the metric, rates as shares; 0 of equivalent and equal_bytes

  bool operator==(const Condition&) const = default;
};

// "better", "worse", "equivalent", "not_better", "not_worse", "equal_bytes".
std::string condition_name(Condition::Is is);
std::vector<std::string> condition_names();
// Throws Error for another name.
Condition::Is condition_is(const std::string& name);
OrderedJson to_json(const Condition& condition);
// Throws Error for a missing field.
Condition condition_from_json(const Json& json);
// Of row - against as the one comparison of a fixed rule that has the margin. Not of equal_bytes.
bool condition_holds(const Condition& condition, const ComparisonVerdict& alone);

}  // namespace harness
