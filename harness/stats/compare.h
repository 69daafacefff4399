// Means and differences of a table with their intervals: crossed seed x problem variance, Holm's correction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/stats/seed_table.h"
#include "harness/stats/undefined.h"

namespace harness {

// A mean with an interval that knows that seeds and problems are both samples.
struct MeanInterval {
  double value = kUndefined;                   // undefined where a set has no value
  double low = kUndefined, high = kUndefined;  // 95 %; undefined where a set has fewer than two problems
  double standard_error = kUndefined;
  double degrees = 0;                  // of freedom of the t interval
  double p_value = kUndefined;         // two-sided, of a mean of 0
  double seed_deviation = kUndefined;  // unbiased standard deviation of the seeds' means; undefined for one seed
  int64_t seeds = 0;
  int64_t problems = 0;  // of all sets together
};

// Mean over the sets of the mean over their problems, averaged over the seeds that every set has. Crossed random effects
// y_sp = m + a_s + b_p + e_sp, seeds shared by the sets, problems nested in them: with the mean squares A (seeds' averages over
// all sets), B_g and E_g of set g (problems' averages, residuals), n seeds, P_g problems, G sets,
//   Var = A / n + sum_g (B_g - E_g / n) / (G^2 P_g),
// held to at least its first two terms each, degrees of freedom by Satterthwaite 1946. One seed: the problems' part alone.
// Seeds without a value in some set are left out; a problem without one in some seed counts for the value and not for the
// variance. All undefined where no seed is shared or a set has no problem.
MeanInterval crossed_mean(std::span<const SeedTable> sets);
// Of rates: the ends of the interval held to [0, 1], where the rate is.
MeanInterval crossed_rate(std::span<const SeedTable> sets);

// The mean squares of the model above as they stand in the variance of its mean: A / n, B_g / (G^2 P_g), E_g / (G^2 P_g n).
struct CrossedSquares {
  struct Set {
    int64_t problems = 0;  // with a value for every seed
    double between = 0, residual = 0;
  };
  std::vector<int64_t> seeds;    // with a value in every set; none where no seed is shared or a set has no problem
  std::vector<double> averages;  // [seeds] mean over the sets
  double from_seeds = 0;
  std::vector<Set> sets;
  int64_t problems = 0;  // of all sets, also those without a value for some seed
};
CrossedSquares crossed_squares(std::span<const SeedTable> sets);

// Interquartile mean of all scores, one list a seed (rliable, arXiv 2108.13264), with Student's interval over the seeds'
// jackknife pseudo-values n T - (n - 1) T_without_one (Tukey 1958), held to [0, 1]: percentiles of resampled seeds, as rliable
// has them, cover 82 to 91 % with 3 to 10 seeds. No interval of fewer than two seeds.
MeanInterval interquartile_interval(std::span<const std::vector<double>> seeds);

struct HolmDecision {
  double adjusted_p = 1;
  double level = 0.95;  // of the interval that excludes zero exactly where the comparison is called different
  bool different = false;
};
// Holm's step-down correction of a family of comparisons at a family-wise error rate of 5 % (Holm 1979): one decision a
// p-value, in the order given.
std::vector<HolmDecision> holm(std::span<const double> p_values);

}  // namespace harness
