#include "harness/report/holm.h"

#include <algorithm>
#include <numeric>

namespace harness {

std::vector<HolmDecision> holm(std::span<const double> p_values, double alpha) {
  const size_t count = p_values.size();
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<HolmDecision> decisions(count);
  double largest = 0;    // adjusted p-values do not decrease
  bool stopped = false;  // from the first comparison that is not different on, none is
  double level = 1 - alpha;
  for (size_t rank = 0; rank < count; ++rank) {
    HolmDecision& decision = decisions[order[rank]];
    const double steps = static_cast<double>(count - rank);
    largest = std::max(largest, std::min(1.0, steps * p_values[order[rank]]));
    if (!stopped) level = 1 - alpha / steps;
    stopped = stopped || largest >= alpha;
    decision = {largest, level, !stopped};
  }
  return decisions;
}

}  // namespace harness
