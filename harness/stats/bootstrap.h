// Percentile intervals by the bootstrap: of means over seeds x problems.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/core/random.h"
#include "harness/stats/seed_table.h"
#include "harness/stats/undefined.h"

namespace harness {

struct Estimate {
  double value = kUndefined;
  double low = kUndefined, high = kUndefined;  // 95 % interval
};

// Mean over the defined values of each quantity, each seed and problem weighing the same, with its interval: seeds and
// problems resampled independently (crossed), 10000 times; one seed: the problems alone. One table a quantity, all over the
// same seeds and problems: they share the resamples, which depend on the stream and the two sizes alone. A resample without
// any value of a quantity is left out of its interval.
std::vector<Estimate> crossed_bootstrap(std::span<const SeedTable> quantities, const RandomStream& stream);

}  // namespace harness
