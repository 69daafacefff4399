#include "harness/rl/advantages.h"

#include <algorithm>
#include <cmath>

namespace harness {

double mean_score(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

bool all_equal(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
}

void centred_advantages(std::span<const double> scores, std::span<double> advantages) {
  const bool flat = all_equal(scores);
  const double mean = mean_score(scores);
  for (size_t i = 0; i < scores.size(); ++i) advantages[i] = flat ? 0 : scores[i] - mean;
}

double score_spread(std::span<const double> scores) {
  if (scores.size() == 1) return 1;
  if (all_equal(scores)) return 0;
  const double mean = mean_score(scores);
  double squares = 0;
  for (const double score : scores) squares += (score - mean) * (score - mean);
  return std::sqrt(squares / static_cast<double>(scores.size() - 1));
}

void normalised_advantages(std::span<const double> scores, std::span<double> advantages) {
  if (scores.size() == 1) {
    advantages[0] = scores[0] / (1 + kAdvantageEpsilon);
    return;
  }
  centred_advantages(scores, advantages);
  const double spread = score_spread(scores);
  for (double& advantage : advantages) advantage /= spread + kAdvantageEpsilon;
}

}  // namespace harness
