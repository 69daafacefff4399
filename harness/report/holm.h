// Holm's step-down correction for a family of comparisons (Holm 1979), with intervals that agree with its decisions.
#pragma once

#include <span>
#include <vector>

namespace harness {

struct HolmDecision {
  double adjusted_p = 1;
  double level = 0.95;  // of the interval that excludes zero exactly where the comparison is called different
  bool different = false;
};
// One a p-value, same order; `alpha` is the family-wise error rate.
std::vector<HolmDecision> holm(std::span<const double> p_values, double alpha = 0.05);

}  // namespace harness
