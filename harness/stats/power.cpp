#include "harness/stats/power.h"

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/stats/distributions.h"

namespace harness {

namespace {

PowerResult errors_of(const PowerPlan& plan) {
  MEDSBENCH_CHECK(plan.seeds >= 1 && plan.problems >= 2 && plan.samples >= 1 && plan.comparisons >= 1,
                  "{} seeds, {} problems, {} samples, {} comparisons", plan.seeds, plan.problems, plan.samples,
                  plan.comparisons);
  const auto seeds = static_cast<double>(plan.seeds);
  const auto problems = static_cast<double>(plan.problems);
  const double about_rate = plan.pass_rate * (1 - plan.pass_rate) - plan.problem_deviation * plan.problem_deviation;
  const double sampling = 2 * std::max(0.0, about_rate) / (seeds * problems * static_cast<double>(plan.samples));
  const double from_seeds = plan.seeds > 1 ? 2 * plan.seed_deviation * plan.seed_deviation / seeds : 0.0;
  const double from_problems = plan.effect_deviation * plan.effect_deviation / problems;
  PowerResult result;
  const double variance = from_seeds + from_problems + sampling;
  result.standard_error = std::sqrt(variance);
  // The mean squares that the table's interval adds (compare.h), at their expectations.
  double sum = (from_problems + sampling) * (from_problems + sampling) / (problems - 1);
  if (plan.seeds > 1) {
    sum += (from_seeds + sampling) * (from_seeds + sampling) / (seeds - 1);
    sum += sampling * sampling / ((seeds - 1) * (problems - 1));
  }
  result.degrees = sum > 0 ? std::max(1.0, variance * variance / sum) : 1.0;
  return result;
}

// Chance that a true difference is called different.
double power_at(const PowerPlan& plan, const PowerResult& errors, double difference) {
  if (errors.standard_error <= 0) return difference == 0 ? 0.0 : 1.0;
  const double alpha = (1 - plan.level) / static_cast<double>(plan.comparisons);
  const double shift = std::abs(difference) / errors.standard_error;
  if (shift > 30) return 1.0;
  if (shift == 0) return alpha;
  return non_central_t_beyond(t_quantile(1 - alpha, errors.degrees), errors.degrees, shift);
}

}  // namespace

PowerResult plan_power(const PowerPlan& plan) {
  PowerResult result = errors_of(plan);
  double low = 0;
  double high = result.standard_error;
  while (high > 0 && high < 1e6 && power_at(plan, result, high) < plan.power) high *= 2;
  for (int step = 0; step < 60; ++step) {
    const double middle = 0.5 * (low + high);
    (power_at(plan, result, middle) < plan.power ? low : high) = middle;
  }
  result.detectable = high;
  return result;
}

}  // namespace harness
