// Tests of a mean that stay valid however often one looks and whenever one stops; and Stein's interval of a width fixed before.
#pragma once

#include <cstdint>
#include <span>

namespace harness {

// Mean and unbiased standard deviation of the seeds so far.
struct SeedSample {
  int64_t seeds = 0;
  double mean = 0, deviation = 0;
};
SeedSample seed_sample(std::span<const double> seeds);

// Evidence against mean 0 after n >= 2 seeds: the mixture over effect sizes delta ~ N(0, g) of the likelihood ratio of the t
// statistic T = sqrt(n) mean / deviation (scale-invariant: Wang and Ramdas 2023, arXiv 2310.03722; Robbins 1970),
//   E = (1 + n g)^(-1/2) [(1 + T^2 / v) / (1 + T^2 / ((1 + n g) v))]^((v + 1) / 2), v = n - 1.
// Under mean 0 the chance that it ever reaches 1 / alpha is at most alpha.
double e_value(const SeedSample& sample, double g = 1);
// Half width of the interval of the means that E does not reject at `alpha`; infinite while there are too few seeds.
double anytime_half_width(const SeedSample& sample, double alpha, double g = 1);

// Seeds in all that give an interval of this half width around their mean, from the deviation of the first n0 = sample.seeds
// alone: max(n0, ceil((t_{n0 - 1} deviation / half_width)^2)) (Stein 1945), exact for normal seeds.
int64_t stein_seeds(const SeedSample& first, double half_width, double level);

}  // namespace harness
