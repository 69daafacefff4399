// Aggregates over runs and sets: interquartile mean and probability of improvement (Agarwal et al. 2021, arXiv 2108.13264).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace harness {

// Mean; NaN of none.
double mean_of(std::span<const double> values);
// Unbiased standard deviation; NaN of fewer than two.
double deviation_of(std::span<const double> values);
// Mean of what is left when floor(n / 4) values are cut from either end (rliable, scipy.stats.trim_mean at 0.25); NaN of none.
double interquartile_mean(std::span<const double> values);
// Linear-interpolated quantile (numpy's default), q in [0, 1]; the values need not be sorted.
double quantile_of(std::vector<double> values, double q);
// Entropy in nats of the shares count / total, every count > 0; 0 of none.
double entropy_of_counts(std::span<const int64_t> counts);
// Probability of improvement of rliable: mean over tasks of P(X > Y) + P(X = Y) / 2 over all pairs of a run of X and a run of
// Y (the Mann-Whitney U over its maximum). x and y hold one list of runs a task; NaN where a task has none in either.
double probability_of_improvement(std::span<const std::vector<double>> x, std::span<const std::vector<double>> y);

}  // namespace harness
