// Counting for pass@k: the chance that a draw of k out of n without replacement misses all of c right ones.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "harness/train/method/method.h"

namespace baselines {

// C(n - c, k) / C(n, k) (arXiv 2107.03374, sec. 2.1), as a product, so that nothing overflows; 0 where fewer than k are wrong.
double chance_of_missing(int64_t n, int64_t c, int64_t k);
// Right responses of the group.
int64_t count_right(std::span<const harness::Sample> group);
// Throws Error if the group is smaller than k.
void require_group_of(const std::string& method, int64_t k, size_t responses);

}  // namespace baselines
