// Sampling error: what the finite number of samples a problem leaves open in a mean of pass@k.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace harness {

// The samples of one problem by one seed.
struct SampleCount {
  int64_t n = 0;      // drawn
  int64_t right = 0;  // of them
};

// Standard deviation of the mean over `groups` (one a (seed, set), weighing the same) of the mean of pass@k over the problems
// of a group, were every problem sampled anew at its own rate right / n: exact sums over Binomial(n, right / n), problems
// independent, seeds and problems as they are. kUndefined without a group, for a group without a problem, and for k > n.
double sampling_error(std::span<const std::vector<SampleCount>> groups, int64_t k);

}  // namespace harness
