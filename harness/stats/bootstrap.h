// Crossed bootstrap: percentile intervals of means over seeds x problems, seeds and problems resampled independently.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/random.h"

namespace harness {

struct Estimate {
  double value = 0;
  double low = 0;  // 95 % interval
  double high = 0;
};

// Values of one or more quantities for each (seed, problem), NaN where a cell has none.
class CellTable {
 public:
  CellTable(int64_t seeds, int64_t problems, int64_t quantities);
  double& at(int64_t seed, int64_t problem, int64_t quantity) { return values_[index(seed, problem, quantity)]; }
  [[nodiscard]] double at(int64_t seed, int64_t problem, int64_t quantity) const {
    return values_[index(seed, problem, quantity)];
  }
  [[nodiscard]] int64_t seeds() const { return seeds_; }
  [[nodiscard]] int64_t problems() const { return problems_; }
  [[nodiscard]] int64_t quantities() const { return quantities_; }

 private:
  [[nodiscard]] size_t index(int64_t seed, int64_t problem, int64_t quantity) const {
    return static_cast<size_t>((problem * seeds_ + seed) * quantities_ + quantity);
  }
  int64_t seeds_;
  int64_t problems_;
  int64_t quantities_;
  std::vector<double> values_;  // [problems, seeds, quantities]
};

struct BootstrapSettings {
  int64_t replicates = 10000;
  double level = 0.95;
};

// Mean over the cells of each quantity with its percentile interval; all quantities share the resamples. One seed: only the
// problems are resampled. The resamples depend on the stream and the two sizes alone.
std::vector<Estimate> crossed_bootstrap(const CellTable& cells, const RandomStream& stream,
                                        const BootstrapSettings& settings = {});

}  // namespace harness
