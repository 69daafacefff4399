// Sampling error: what the finite number of samples a problem leaves open in a mean of pass@k.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace harness {

// The samples of one problem by one seed.
struct SampleCount {
  int64_t n = 0;      // drawn
  int64_t right = 0;  // of them
};

// Variance of the mean over `groups` (one a (seed, set), weighing the same) of the mean of pass@k over the problems of a group,
// were every problem sampled anew at its own success rate: problems independent, seeds and problems as they are. kUndefined
// without a group, for a group without a problem, and for k > n.
//
// The estimate of pass@k is 1 - a, a = C(n-c, k) / C(n, k). Where 2k <= n its variance has an unbiased estimate,
//   a^2 - C(n-c, 2k) / C(n, 2k),
// at k = 1 p (1 - p) / (n - 1) with p = c / n. Beyond it none exists:
// the variance is a polynomial in the success rate whose degree, 2k, is above n. There each problem has the mean of the
// variance over the rates that it may have, whose distribution over the problems of all groups is estimated from their counts
// (maximum likelihood on a grid by 100 rounds of EM, Laird 1978; empirical Bayes). At k = n the mean of this is .85 to 1 of the
// true variance, by simulation of 120 counts and more, where putting c / n for the rate gives .4 to .65.
double sampling_variance(std::span<const std::vector<SampleCount>> groups, int64_t k);

// Its root: the standard error of the mean by its samples.
double sampling_error(std::span<const std::vector<SampleCount>> groups, int64_t k);

}  // namespace harness
