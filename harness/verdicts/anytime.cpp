#include "harness/verdicts/anytime.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/core/error.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/distributions.h"

namespace harness {

SeedSample seed_sample(std::span<const double> seeds) {
  return {static_cast<int64_t>(seeds.size()), mean_of(seeds), deviation_of(seeds)};
}

double e_value(const SeedSample& sample, double g) {
  MEDSBENCH_CHECK(sample.seeds >= 2 && g > 0, "{} seeds, g {}", sample.seeds, g);
  const auto n = static_cast<double>(sample.seeds);
  const double degrees = n - 1, wide = 1 + n * g;
  if (sample.deviation <= 0) return sample.mean == 0 ? 1 / std::sqrt(wide) : std::pow(wide, degrees / 2);
  const double square = n * sample.mean * sample.mean / (sample.deviation * sample.deviation);
  return std::exp((degrees + 1) / 2 * (std::log1p(square / degrees) - std::log1p(square / (wide * degrees)))) / std::sqrt(wide);
}

double anytime_half_width(const SeedSample& sample, double alpha, double g) {
  if (sample.seeds < 2) return std::numeric_limits<double>::infinity();
  const auto n = static_cast<double>(sample.seeds);
  const double degrees = n - 1, wide = 1 + n * g;
  const double q = std::pow(std::sqrt(wide) / alpha, 2 / (degrees + 1));
  if (q >= wide) return std::numeric_limits<double>::infinity();
  return sample.deviation / std::sqrt(n) * std::sqrt(degrees * (q - 1) / (1 - q / wide));
}

int64_t stein_seeds(const SeedSample& first, double half_width, double level) {
  MEDSBENCH_CHECK(first.seeds >= 2 && half_width > 0, "{} seeds, half width {}", first.seeds, half_width);
  const double reach = t_quantile(level, static_cast<double>(first.seeds - 1)) * first.deviation / half_width;
  return std::max(first.seeds, static_cast<int64_t>(std::ceil(std::min(reach * reach, 1e12))));
}

}  // namespace harness
