// Rank correlation: how far two numbers of the same things order them alike.
#pragma once

#include <span>

namespace harness {

// Spearman's: the correlation of the ranks of x and y [n], equal values at the mean of their ranks; in [-1, 1]. kUndefined with
// fewer than two values and where a side has one value alone.
double rank_correlation(std::span<const double> x, std::span<const double> y);

}  // namespace harness
