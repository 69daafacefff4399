#include "harness/stats/distributions.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace harness {

namespace math = boost::math;

double t_quantile(double level, double degrees) { return math::quantile(math::students_t(degrees), 0.5 + level / 2); }

double t_critical(double p, double degrees) { return math::quantile(math::complement(math::students_t(degrees), p / 2)); }

double t_two_sided_p(double statistic, double degrees) {
  return 2 * math::cdf(math::complement(math::students_t(degrees), std::abs(statistic)));
}

double non_central_t_beyond(double critical, double degrees, double shift) {
  const math::non_central_t statistic(degrees, shift);
  return math::cdf(math::complement(statistic, critical)) + math::cdf(statistic, -critical);
}

double binomial_probability(int64_t n, double rate, int64_t count) {
  return math::pdf(math::binomial(static_cast<double>(n), rate), static_cast<double>(count));
}

}  // namespace harness
