#include "harness/stats/sampling_error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <utility>

#include "harness/stats/distributions.h"
#include "harness/stats/pass_at_k.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

// Right samples -> weights of the problems with so many, added up: what their variances count in that of the mean.
using WeightedCounts = std::map<int64_t, double>;

// C(n-c, k) / C(n, k), the chance that none of k samples is right.
double none_right(int64_t n, int64_t c, int64_t k) { return 1 - pass_at_k(n, c, k); }

// What is known of n samples at each success rate of a grid, which is dense at the ends: sin^2.
struct RateGrid {
  std::vector<double> rates;
  std::vector<std::vector<double>> chances;  // [n + 1, rates] P(count right | rate)
};

RateGrid make_grid(int64_t n) {
  const auto steps = static_cast<int64_t>(std::ceil(4 * std::sqrt(static_cast<double>(n))));
  RateGrid grid;
  for (int64_t j = 0; j <= steps; ++j) {
    const double root = std::sin(std::numbers::pi * static_cast<double>(j) / static_cast<double>(2 * steps));
    grid.rates.push_back(std::min(1.0, root * root));
  }
  for (int64_t right = 0; right <= n; ++right) {
    std::vector<double>& row = grid.chances.emplace_back();
    for (const double rate : grid.rates) row.push_back(binomial_probability(n, rate, right));
  }
  return grid;
}

// Remembered: rows, seeds and sets of a table ask for the same n again and again.
const RateGrid& grid_of(int64_t n) {
  thread_local std::map<int64_t, RateGrid> known;
  const auto found = known.find(n);
  return found != known.end() ? found->second : known.emplace(n, make_grid(n)).first->second;
}

// Variance of the estimate of pass@k at each rate of the grid.
std::vector<double> variances_at(const RateGrid& grid, int64_t n, int64_t k) {
  std::vector<double> means(grid.rates.size(), 0.0), squares(grid.rates.size(), 0.0);
  for (int64_t right = 0; right <= n - k; ++right) {  // beyond, none of k samples cannot be right
    const double none = none_right(n, right, k);
    for (size_t j = 0; j < grid.rates.size(); ++j) {
      means[j] += none * grid.chances[static_cast<size_t>(right)][j];
      squares[j] += none * none * grid.chances[static_cast<size_t>(right)][j];
    }
  }
  for (size_t j = 0; j < means.size(); ++j) squares[j] = std::max(0.0, squares[j] - means[j] * means[j]);
  return squares;
}

// Sum of the counts' weights times their mean variances over the rates that they may have. All of one n.
double variance_by_mixture(const WeightedCounts& counts, int64_t n, int64_t k) {
  constexpr int kRounds = 100;
  const RateGrid& grid = grid_of(n);
  const size_t rates = grid.rates.size();
  const std::vector<double> variances = variances_at(grid, n, k);
  std::vector<double> shares(rates, 1 / static_cast<double>(rates));  // the distribution of the rates
  double total = 0, variance = 0;
  for (const auto& [right, weight] : counts) total += weight;
  for (int round = 0; round <= kRounds; ++round) {
    std::vector<double> next(rates, 0.0);
    variance = 0;
    for (const auto& [right, weight] : counts) {
      const std::vector<double>& chances = grid.chances[static_cast<size_t>(right)];
      double evidence = 0;
      for (size_t j = 0; j < rates; ++j) evidence += chances[j] * shares[j];
      for (size_t j = 0; j < rates; ++j) {
        const double part = weight * chances[j] * shares[j] / evidence;
        next[j] += part / total;
        variance += part * variances[j];
      }
    }
    shares = std::move(next);
  }
  return variance;
}

}  // namespace

double sampling_variance(std::span<const std::vector<SampleCount>> groups, int64_t k) {
  if (groups.empty()) return kUndefined;
  double variance = 0;
  std::map<int64_t, WeightedCounts> beyond;  // by n
  for (const std::vector<SampleCount>& group : groups) {
    if (group.empty()) return kUndefined;
    const double share = 1.0 / static_cast<double>(groups.size() * group.size());
    for (const SampleCount& problem : group) {
      if (k > problem.n) return kUndefined;
      if (2 * k <= problem.n) {
        const double none = none_right(problem.n, problem.right, k);
        variance += share * share * (none * none - none_right(problem.n, problem.right, 2 * k));
      } else {
        beyond[problem.n][problem.right] += share * share;
      }
    }
  }
  for (const auto& [n, counts] : beyond) variance += variance_by_mixture(counts, n, k);
  return std::max(0.0, variance);
}

double sampling_error(std::span<const std::vector<SampleCount>> groups, int64_t k) {
  return std::sqrt(sampling_variance(groups, k));
}

}  // namespace harness
