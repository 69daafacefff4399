#include "baselines/pass_k.h"

#include <algorithm>

#include "harness/core/error.h"

namespace baselines {

double chance_of_missing(int64_t n, int64_t c, int64_t k) {
  if (n - c < k) return 0;
  double chance = 1;
  for (int64_t i = 0; i < k; ++i) chance *= static_cast<double>(n - c - i) / static_cast<double>(n - i);
  return chance;
}

int64_t count_right(std::span<const harness::Sample> group) {
  return std::count_if(group.begin(), group.end(), [](const harness::Sample& sample) { return sample.correct; });
}

void require_group_of(const std::string& method, int64_t k, size_t responses) {
  if (static_cast<size_t>(k) > responses) {
    throw harness::Error("method {}: method.k: expected at most the {} responses of a group, found {}", method, responses, k);
  }
}

}  // namespace baselines
