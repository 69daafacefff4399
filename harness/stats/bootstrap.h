// Percentile intervals by the bootstrap: of means over seeds x problems, and of interquartile means over runs.
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

// Interquartile mean of all scores, one list of runs a task, with the interval of 2000 resamples of the runs within each task
// (rliable's stratified bootstrap, arXiv 2108.13264); no interval where no task has two runs.
Estimate interquartile_estimate(std::span<const std::vector<double>> scores, const RandomStream& stream);

}  // namespace harness
