// Student's t, its non-central form and the binomial: the one source that includes Boost.Math, which is dear to compile.
#pragma once

#include <cstdint>

namespace harness {

// Two-sided quantile of Student's t: |t| <= it with probability `level`, 0 < level < 1, degrees > 0.
double t_quantile(double level, double degrees);
// |t| exceeds it with probability p, 0 < p <= 1, degrees > 0: t_quantile(1 - p, degrees) without its loss of digits.
double t_critical(double p, double degrees);
// P(|t| > |statistic|) of Student's t.
double t_two_sided_p(double statistic, double degrees);
// P(|t| > critical) of the non-central t with non-centrality `shift` > 0: the power of a two-sided t test.
double non_central_t_beyond(double critical, double degrees, double shift);
// P(count successes of n trials at `rate`), 0 <= count <= n.
double binomial_probability(int64_t n, double rate, int64_t count);

}  // namespace harness
