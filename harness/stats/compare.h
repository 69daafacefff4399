// Comparisons for tables: crossed seed x problem intervals, paired differences, Holm's correction, noise floor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/stats/bootstrap.h"

namespace harness {

// The mean over one or more sets of the mean over (seed, problem), with what is known of its error.
struct CrossedMean {
  double value = 0;          // NaN where a set has no cell
  double low = 0, high = 0;  // t interval; NaN where there is none (fewer than two problems in a set)
  double standard_error = 0;
  double degrees = 0;            // Satterthwaite
  double p_value = 1;            // two-sided, against 0
  double seed_variance = 0;      // component of the training seed, over and above the interaction; at least 0
  double problem_variance = 0;   // component of the problem (mean over sets)
  double residual_variance = 0;  // seed x problem interaction with the sampling error in it (mean over sets)
  int64_t seeds = 0;
  int64_t problems = 0;  // of all sets together
};

// Crossed random effects y_sp = m + a_s + b_p + e_sp, seeds shared by the sets, problems nested in them: with the mean squares
// A (seeds' averages over all sets), B_g and E_g of set g (problems' averages, residuals), n seeds, P_g problems, G sets,
//   Var = A / n + sum_g (B_g - E_g / n) / (G^2 P_g),
// held to at least its first two terms each, degrees of freedom by Satterthwaite 1946. One seed: the problems' part alone.
// The tables [seeds, problems, 1] have the same seeds in the same order; seeds with a NaN in any set are left out, problems
// with a NaN are left out of their set's variance.
CrossedMean crossed_mean(std::span<const CellTable> sets, double level = 0.95);

// method - base, cell by cell; NaN where either is. A base of one seed (an untrained model) stands against every seed.
CellTable paired_difference(const CellTable& method, const CellTable& base);

// Holm 1979: adjusted p-values of a family, in the order given; reject those <= alpha.
std::vector<double> holm_adjusted(std::span<const double> p_values);

// What the same method reaches against itself with other seeds: the difference of the two rows and its interval, unpaired in
// seeds (they have nothing in common), paired in problems.
CrossedMean noise_floor(std::span<const CellTable> first, std::span<const CellTable> second, double level = 0.95);

// Standard error that n samples a problem give a mean of pass@1, seeds and problems as they are: from counts c of n.
double sampling_standard_error(std::span<const int64_t> right, std::span<const int64_t> samples);

}  // namespace harness
