#include "harness/stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/core/error.h"
#include "harness/stats/aggregate.h"

namespace harness {

CellTable::CellTable(int64_t seeds, int64_t problems, int64_t quantities)
    : seeds_(seeds), problems_(problems), quantities_(quantities) {
  MEDSBENCH_CHECK(seeds > 0 && problems > 0 && quantities > 0, "{} seeds, {} problems, {} quantities", seeds, problems,
                  quantities);
  values_.assign(static_cast<size_t>(seeds * problems * quantities), std::numeric_limits<double>::quiet_NaN());
}

namespace {

// The table with NaN as 0 and, behind the quantities, one 0/1 column a quantity that says whether the cell has it (left out
// where every cell has everything): rows of problems.
struct Rows {
  int64_t width = 0;  // columns a seed
  bool complete = true;
  std::vector<double> values;  // [problems, seeds, width]
};

Rows rows_of(const CellTable& cells) {
  Rows rows;
  for (int64_t p = 0; p < cells.problems() && rows.complete; ++p) {
    for (int64_t s = 0; s < cells.seeds(); ++s) {
      for (int64_t q = 0; q < cells.quantities(); ++q) rows.complete &= !std::isnan(cells.at(s, p, q));
    }
  }
  const int64_t quantities = cells.quantities();
  rows.width = rows.complete ? quantities : 2 * quantities;
  rows.values.assign(static_cast<size_t>(cells.problems() * cells.seeds() * rows.width), 0.0);
  double* out = rows.values.data();
  for (int64_t p = 0; p < cells.problems(); ++p) {
    for (int64_t s = 0; s < cells.seeds(); ++s, out += rows.width) {
      for (int64_t q = 0; q < quantities; ++q) {
        const double value = cells.at(s, p, q);
        out[q] = std::isnan(value) ? 0.0 : value;
        if (!rows.complete) out[quantities + q] = std::isnan(value) ? 0.0 : 1.0;
      }
    }
  }
  return rows;
}

// sum[width] weighted by seed -> the mean of each quantity.
void means_of(const Rows& rows, const std::vector<double>& sums, const std::vector<double>& seed_weights, double problems,
              std::vector<double>& means) {
  const auto quantities = static_cast<int64_t>(means.size());
  double seeds = 0;
  for (const double weight : seed_weights) seeds += weight;
  for (int64_t q = 0; q < quantities; ++q) {
    double sum = 0;
    double count = rows.complete ? seeds * problems : 0.0;
    for (size_t s = 0; s < seed_weights.size(); ++s) {
      const size_t column = s * static_cast<size_t>(rows.width) + static_cast<size_t>(q);
      sum += seed_weights[s] * sums[column];
      if (!rows.complete) count += seed_weights[s] * sums[column + static_cast<size_t>(quantities)];
    }
    means[static_cast<size_t>(q)] = sum / count;  // NaN where a resample holds no cell with the quantity
  }
}

}  // namespace

std::vector<Estimate> crossed_bootstrap(const CellTable& cells, const RandomStream& stream, const BootstrapSettings& settings) {
  const int64_t seeds = cells.seeds();
  const int64_t problems = cells.problems();
  const auto quantities = static_cast<size_t>(cells.quantities());
  const Rows rows = rows_of(cells);
  const auto row_width = static_cast<size_t>(seeds * rows.width);
  const auto add_row = [&](std::vector<double>& sums, int64_t problem) {
    const double* row = rows.values.data() + static_cast<size_t>(problem) * row_width;
    for (size_t column = 0; column < row_width; ++column) sums[column] += row[column];
  };

  std::vector<double> sums(row_width, 0.0);
  std::vector<double> weights(static_cast<size_t>(seeds), 1.0);
  std::vector<double> means(quantities);
  for (int64_t p = 0; p < problems; ++p) add_row(sums, p);
  means_of(rows, sums, weights, static_cast<double>(problems), means);
  std::vector<Estimate> estimates(quantities);
  for (size_t q = 0; q < quantities; ++q) estimates[q].value = means[q];

  std::vector<std::vector<double>> replicates(quantities);
  for (auto& values : replicates) values.reserve(static_cast<size_t>(settings.replicates));
  uint64_t counter = 0;
  for (int64_t replicate = 0; replicate < settings.replicates; ++replicate) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (int64_t p = 0; p < problems; ++p) {
      add_row(sums, static_cast<int64_t>(stream.below(counter++, static_cast<uint64_t>(problems))));
    }
    if (seeds > 1) {
      std::fill(weights.begin(), weights.end(), 0.0);
      for (int64_t s = 0; s < seeds; ++s) weights[stream.below(counter++, static_cast<uint64_t>(seeds))] += 1.0;
    }
    means_of(rows, sums, weights, static_cast<double>(problems), means);
    for (size_t q = 0; q < quantities; ++q) {
      if (!std::isnan(means[q])) replicates[q].push_back(means[q]);
    }
  }
  const double tail = (1 - settings.level) / 2;
  for (size_t q = 0; q < quantities; ++q) {
    estimates[q].low = quantile_of(replicates[q], tail);
    estimates[q].high = quantile_of(std::move(replicates[q]), 1 - tail);
  }
  return estimates;
}

}  // namespace harness
