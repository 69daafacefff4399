// MeanInterval: the mean of a row over seeds and problems with an interval that knows both are samples.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "harness/report/results/experiment_results.h"

namespace harness {

struct MeanInterval {
  double value = 0;          // NaN where nothing is defined
  double low = 0, high = 0;  // NaN where there is no interval (fewer than two problems)
  double standard_error = 0;
  double degrees = 0;         // Satterthwaite degrees of freedom
  double p_value = 1;         // two-sided, of a mean of 0
  double seed_deviation = 0;  // unbiased standard deviation of the seeds' means; NaN for one seed
  int64_t seeds = 0, problems = 0;
};

// Mean over the sets of the mean over their problems, averaged over the seeds that every set has, with the crossed seed x
// problem interval of harness/stats/compare.h. Problems that miss a seed count for the value but not for the variance.
MeanInterval mean_interval(std::span<const ValueTable> sets, double level = 0.95);

// Two-sided quantile of Student's t: the level-quantile of |t|.
double t_quantile(double level, double degrees);

// Standard error that the finite number of samples a problem gives the mean: binomial about each problem's own rate, exact for
// every pass@k. Seeds and problems are taken as they are. `metric` is "pass@K"; NaN for any other.
double sampling_error(const RowResults& row, std::span<const std::string> sets, const std::string& metric);

}  // namespace harness
