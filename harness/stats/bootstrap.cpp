#include "harness/stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/core/error.h"
#include "harness/stats/aggregate.h"

namespace harness {

namespace {

constexpr double kTail = 0.025;  // of a 95 % interval, at either end

// The tables side by side with NaN as 0 and, behind the quantities, one 0/1 column a quantity that says whether a seed has a
// value (left out where every seed has every value).
struct ProblemRows {
  size_t width = 0;  // columns a seed
  bool complete = true;
  std::vector<double> values;  // [problems, seeds, width]
};

ProblemRows rows_of(std::span<const SeedTable> quantities) {
  const SeedTable& shape = quantities.front();
  ProblemRows rows;
  for (const SeedTable& table : quantities) {
    MEDSBENCH_CHECK(table.seeds == shape.seeds && table.problems == shape.problems, "{} x {} values beside {} x {}",
                    table.seeds.size(), table.problems.size(), shape.seeds.size(), shape.problems.size());
    rows.complete &= std::none_of(table.values.begin(), table.values.end(), [](double value) { return std::isnan(value); });
  }
  rows.width = rows.complete ? quantities.size() : 2 * quantities.size();
  rows.values.assign(shape.values.size() * rows.width, 0.0);
  double* out = rows.values.data();
  for (size_t p = 0; p < shape.problems.size(); ++p) {
    for (size_t s = 0; s < shape.seeds.size(); ++s, out += rows.width) {
      for (size_t q = 0; q < quantities.size(); ++q) {
        const double value = quantities[q].at(s, p);
        out[q] = std::isnan(value) ? 0.0 : value;
        if (!rows.complete) out[quantities.size() + q] = std::isnan(value) ? 0.0 : 1.0;
      }
    }
  }
  return rows;
}

// sums [seeds, width] weighted by seed -> the mean of each quantity.
void set_means(const ProblemRows& rows, const std::vector<double>& sums, const std::vector<double>& seed_weights,
               double problems, std::vector<double>& means) {
  double seeds = 0;
  for (const double weight : seed_weights) seeds += weight;
  for (size_t q = 0; q < means.size(); ++q) {
    double sum = 0;
    double count = rows.complete ? seeds * problems : 0.0;
    for (size_t s = 0; s < seed_weights.size(); ++s) {
      const size_t column = s * rows.width + q;
      sum += seed_weights[s] * sums[column];
      if (!rows.complete) count += seed_weights[s] * sums[column + means.size()];
    }
    means[q] = sum / count;  // NaN where a resample holds no value of the quantity
  }
}

}  // namespace

std::vector<Estimate> crossed_bootstrap(std::span<const SeedTable> quantities, const RandomStream& stream) {
  constexpr int kReplicates = 10000;
  MEDSBENCH_CHECK(!quantities.empty() && !quantities.front().empty(), "{} quantities of no value", quantities.size());
  const size_t seeds = quantities.front().seeds.size(), problems = quantities.front().problems.size();
  const ProblemRows rows = rows_of(quantities);
  const size_t row_width = seeds * rows.width;
  const auto add_row = [&](std::vector<double>& sums, size_t problem) {
    const double* row = rows.values.data() + problem * row_width;
    for (size_t column = 0; column < row_width; ++column) sums[column] += row[column];
  };

  std::vector<double> sums(row_width, 0.0);
  std::vector<double> weights(seeds, 1.0);
  std::vector<double> means(quantities.size());
  for (size_t p = 0; p < problems; ++p) add_row(sums, p);
  set_means(rows, sums, weights, static_cast<double>(problems), means);
  std::vector<Estimate> estimates(quantities.size());
  for (size_t q = 0; q < quantities.size(); ++q) estimates[q].value = means[q];

  std::vector<std::vector<double>> replicates(quantities.size());
  for (auto& values : replicates) values.reserve(kReplicates);
  uint64_t counter = 0;
  for (int replicate = 0; replicate < kReplicates; ++replicate) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (size_t p = 0; p < problems; ++p) add_row(sums, stream.below(counter++, problems));
    if (seeds > 1) {
      std::fill(weights.begin(), weights.end(), 0.0);
      for (size_t s = 0; s < seeds; ++s) weights[stream.below(counter++, seeds)] += 1.0;
    }
    set_means(rows, sums, weights, static_cast<double>(problems), means);
    for (size_t q = 0; q < quantities.size(); ++q) {
      if (!std::isnan(means[q])) replicates[q].push_back(means[q]);
    }
  }
  for (size_t q = 0; q < quantities.size(); ++q) {
    estimates[q].low = quantile_of(replicates[q], kTail);
    estimates[q].high = quantile_of(std::move(replicates[q]), 1 - kTail);
  }
  return estimates;
}

}  // namespace harness
