// Group advantages: scores of one group's responses -> one advantage for each.
#pragma once

#include <span>

namespace harness {

inline constexpr double kAdvantageEpsilon = 1e-6;

// GRPO (arXiv 2402.03300): A = (s - mean) / (unbiased std + 1e-6). Equal scores give exactly 0; a group of one has mean 0 and
// std 1, as in the published recipe.
void normalised_advantages(std::span<const double> scores, std::span<double> advantages);
// Both take the scores of one group [K], K >= 1, to its advantages [K].
// Dr. GRPO (arXiv 2503.20783): A = s - mean; equal scores give exactly 0.
void centred_advantages(std::span<const double> scores, std::span<double> advantages);
// Unbiased standard deviation; 0 of equal scores, 1 of a single one.
double score_spread(std::span<const double> scores);
// Of at least one value.
double mean_score(std::span<const double> values);
bool all_equal(std::span<const double> values);

}  // namespace harness
