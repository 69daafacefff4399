#include "harness/stats/compare.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "harness/core/error.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

double square(double value) { return value * value; }

double variance_of(std::span<const double> values) { return values.size() < 2 ? 0.0 : square(deviation_of(values)); }

// Mean of a seed over the problems that have a value; NaN of none.
double seed_mean(const CellTable& table, int64_t seed) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t problem = 0; problem < table.problems(); ++problem) {
    const double value = table.at(seed, problem, 0);
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? kUndefined : sum / static_cast<double>(count);
}

// Mean squares of one set.
struct MeanSquares {
  int64_t problems = 0;  // complete ones
  double between = 0;    // variance of the problems' averages over the seeds
  double residual = 0;   // mean square of the seed x problem residuals
};

MeanSquares mean_squares(const CellTable& table, const std::vector<int64_t>& seeds) {
  const auto n = static_cast<double>(seeds.size());
  std::vector<int64_t> complete;
  std::vector<double> problem_means;
  std::vector<double> seed_means(seeds.size(), 0.0);
  for (int64_t problem = 0; problem < table.problems(); ++problem) {
    double sum = 0;
    for (const int64_t seed : seeds) sum += table.at(seed, problem, 0);
    if (std::isnan(sum)) continue;
    complete.push_back(problem);
    problem_means.push_back(sum / n);
    for (size_t s = 0; s < seeds.size(); ++s) seed_means[s] += table.at(seeds[s], problem, 0);
  }
  MeanSquares squares;
  squares.problems = static_cast<int64_t>(complete.size());
  squares.between = variance_of(problem_means);
  if (seeds.size() < 2 || complete.size() < 2) return squares;
  const double grand = mean_of(problem_means);
  double sum = 0;
  for (size_t i = 0; i < complete.size(); ++i) {
    for (size_t s = 0; s < seeds.size(); ++s) {
      const double seed_effect = seed_means[s] / static_cast<double>(complete.size()) - grand;
      sum += square(table.at(seeds[s], complete[i], 0) - problem_means[i] - seed_effect);
    }
  }
  squares.residual = sum / ((n - 1) * static_cast<double>(complete.size() - 1));
  return squares;
}

// A term of a variance estimate with its degrees of freedom.
struct Term {
  double value = 0;
  double degrees = 1;
};

void set_interval(CrossedMean& mean, double level) {
  if (mean.standard_error <= 0) {
    mean.low = mean.high = mean.value;
    mean.p_value = mean.value == 0 ? 1 : 0;
    return;
  }
  const boost::math::students_t distribution(mean.degrees);
  const double half = boost::math::quantile(distribution, 0.5 + level / 2) * mean.standard_error;
  mean.low = mean.value - half;
  mean.high = mean.value + half;
  mean.p_value = 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(mean.value) / mean.standard_error));
}

double satterthwaite(double variance, const std::vector<Term>& terms) {
  double sum = 0;
  for (const Term& term : terms) sum += square(term.value) / term.degrees;
  return sum > 0 ? std::max(1.0, square(variance) / sum) : 1.0;
}

}  // namespace

CrossedMean crossed_mean(std::span<const CellTable> sets, double level) {
  CrossedMean mean;
  mean.value = mean.low = mean.high = mean.standard_error = mean.p_value = kUndefined;
  if (sets.empty()) return mean;
  std::vector<int64_t> seeds;
  std::vector<double> averages;  // of each seed over the sets
  const auto groups = static_cast<double>(sets.size());
  for (const CellTable& set : sets) {
    MEDSBENCH_CHECK(set.seeds() == sets.front().seeds(), "{} seeds, {} in the first set", set.seeds(), sets.front().seeds());
    mean.problems += set.problems();
  }
  for (int64_t seed = 0; seed < sets.front().seeds(); ++seed) {
    double sum = 0;
    for (const CellTable& set : sets) sum += seed_mean(set, seed);
    if (std::isnan(sum)) continue;
    seeds.push_back(seed);
    averages.push_back(sum / groups);
  }
  mean.seeds = static_cast<int64_t>(seeds.size());
  if (seeds.empty()) return mean;
  mean.value = mean_of(averages);

  const auto n = static_cast<double>(seeds.size());
  const double from_seeds = variance_of(averages) / n;
  double from_problems = 0;
  double counted_twice = 0;
  std::vector<Term> terms;
  if (seeds.size() > 1) terms.push_back({from_seeds, n - 1});
  for (const CellTable& set : sets) {
    const MeanSquares squares = mean_squares(set, seeds);
    if (squares.problems < 2) return mean;
    const auto problems = static_cast<double>(squares.problems);
    const double scale = groups * groups * problems;
    terms.push_back({squares.between / scale, problems - 1});
    from_problems += squares.between / scale;
    if (seeds.size() > 1) terms.push_back({squares.residual / (scale * n), (n - 1) * (problems - 1)});
    counted_twice += squares.residual / (scale * n);
    mean.problem_variance += std::max(0.0, squares.between - squares.residual / n) / groups;
    mean.residual_variance += squares.residual / groups;
  }
  mean.seed_variance = std::max(0.0, n * (from_seeds - counted_twice));
  const double variance = std::max({from_seeds + from_problems - counted_twice, from_seeds, from_problems});
  mean.standard_error = std::sqrt(variance);
  mean.degrees = satterthwaite(variance, terms);
  set_interval(mean, level);
  return mean;
}

CellTable paired_difference(const CellTable& method, const CellTable& base) {
  MEDSBENCH_CHECK(method.problems() == base.problems() && (base.seeds() == method.seeds() || base.seeds() == 1),
                  "{} x {} against {} x {}", method.seeds(), method.problems(), base.seeds(), base.problems());
  CellTable difference(method.seeds(), method.problems(), 1);
  for (int64_t seed = 0; seed < method.seeds(); ++seed) {
    for (int64_t problem = 0; problem < method.problems(); ++problem) {
      difference.at(seed, problem, 0) = method.at(seed, problem, 0) - base.at(base.seeds() == 1 ? 0 : seed, problem, 0);
    }
  }
  return difference;
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const double scaled = std::min(1.0, p_values[order[rank]] * static_cast<double>(order.size() - rank));
    largest = std::max(largest, scaled);
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

CrossedMean noise_floor(std::span<const CellTable> first, std::span<const CellTable> second, double level) {
  const CrossedMean one = crossed_mean(first, level);
  const CrossedMean other = crossed_mean(second, level);
  CrossedMean mean;
  mean.value = one.value - other.value;
  mean.seeds = std::min(one.seeds, other.seeds);
  mean.problems = one.problems;
  // The problems are the same, so their part cancels: what is left is the seeds' averages, which hold the residuals too.
  const auto average_variance = [](const CrossedMean& row) {
    return row.seed_variance / static_cast<double>(row.seeds) +
           row.residual_variance / static_cast<double>(row.seeds * std::max<int64_t>(1, row.problems));
  };
  const std::vector<Term> terms = {{average_variance(one), std::max(1.0, static_cast<double>(one.seeds - 1))},
                                   {average_variance(other), std::max(1.0, static_cast<double>(other.seeds - 1))}};
  const double variance = terms[0].value + terms[1].value;
  mean.standard_error = std::sqrt(variance);
  mean.degrees = satterthwaite(variance, terms);
  set_interval(mean, level);
  return mean;
}

double sampling_standard_error(std::span<const int64_t> right, std::span<const int64_t> samples) {
  MEDSBENCH_CHECK(right.size() == samples.size() && !right.empty(), "{} counts, {} sizes", right.size(), samples.size());
  double sum = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    const auto n = static_cast<double>(samples[i]);
    const double rate = static_cast<double>(right[i]) / n;
    if (samples[i] > 1) sum += rate * (1 - rate) / (n - 1);
  }
  return std::sqrt(sum) / static_cast<double>(right.size());
}

}  // namespace harness
