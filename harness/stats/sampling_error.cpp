#include "harness/stats/sampling_error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "harness/stats/distributions.h"
#include "harness/stats/pass_at_k.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

// Standard deviation of the estimate of pass@k from n samples of a problem whose rate is c / n.
double compute_deviation(int64_t n, int64_t c, int64_t k) {
  if (c == 0 || c == n) return 0;
  double mean = 0, square = 0;
  for (int64_t right = 0; right <= n; ++right) {
    const double weight = binomial_probability(n, static_cast<double>(c) / static_cast<double>(n), right);
    const double value = pass_at_k(n, right, k);
    mean += weight * value;
    square += weight * value * value;
  }
  return std::sqrt(std::max(square - mean * mean, 0.0));
}

// The same, remembered: rows, seeds and sets of a table ask for the same counts again and again.
double deviation_by_sampling(int64_t n, int64_t c, int64_t k) {
  thread_local std::map<std::tuple<int64_t, int64_t, int64_t>, double> known;
  const auto [place, added] = known.try_emplace({n, c, k}, 0.0);
  if (added) place->second = compute_deviation(n, c, k);
  return place->second;
}

}  // namespace

double sampling_error(std::span<const std::vector<SampleCount>> groups, int64_t k) {
  if (groups.empty()) return kUndefined;
  double variance = 0;
  for (const std::vector<SampleCount>& group : groups) {
    if (group.empty()) return kUndefined;
    const double weight = 1.0 / static_cast<double>(groups.size() * group.size());
    for (const SampleCount& problem : group) {
      if (k > problem.n) return kUndefined;
      const double deviation = deviation_by_sampling(problem.n, problem.right, k);
      variance += weight * weight * deviation * deviation;
    }
  }
  return std::sqrt(variance);
}

}  // namespace harness
