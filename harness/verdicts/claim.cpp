#include "harness/verdicts/claim.h"

#include <cmath>
#include <numbers>

#include "harness/core/error.h"
#include "harness/stats/distributions.h"

namespace harness {

namespace {

double beyond(double gain, double deviation) { return std::erfc(std::abs(gain) / deviation / std::numbers::sqrt2); }

}  // namespace

ClaimCheck check_claim(double gain, int64_t seeds, const MeasuredNoise& noise) {
  MEDSBENCH_CHECK(seeds >= 1 && noise.seed_deviation > 0 && noise.paired_deviation > 0, "{} seeds, deviations {} and {}", seeds,
                  noise.seed_deviation, noise.paired_deviation);
  ClaimCheck check;
  const auto n = static_cast<double>(seeds);
  const double apart = noise.seed_deviation * std::sqrt(2 / n);
  check.by_chance = beyond(gain, apart);
  check.by_chance_common = beyond(gain, noise.paired_deviation / std::sqrt(n));
  const auto finds = [&](int64_t count) {
    const auto degrees = static_cast<double>(count - 1);
    const double shift = std::abs(gain) / noise.paired_deviation * std::sqrt(static_cast<double>(count));
    return shift > 30 || (shift > 0 && non_central_t_beyond(t_quantile(0.95, degrees), degrees, shift) >= 0.8);
  };
  int64_t low = 1, high = 1000;
  while (finds(high) && high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (!finds(middle)) {
      low = middle;
    } else {
      high = middle;
    }
  }
  check.seeds = finds(high) ? high : 0;
  if (std::isnan(noise.effect_deviation)) return check;
  const double prior = noise.effect_deviation * noise.effect_deviation, error = apart * apart;
  check.gain = gain * prior / (prior + error);
  const double half = 1.959963984540054 * std::sqrt(prior * error / (prior + error));
  check.low = check.gain - half;
  check.high = check.gain + half;
  return check;
}

}  // namespace harness
