#include "harness/report/intervals.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "harness/stats/aggregate.h"
#include "harness/stats/pass_at_k.h"

namespace harness {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double mean_of_seed(const ValueTable& set, size_t seed) {
  std::vector<double> values;
  for (size_t problem = 0; problem < set.problems.size(); ++problem) {
    const double value = set.at(seed, problem);
    if (!std::isnan(value)) values.push_back(value);
  }
  return mean_of(values);
}

// The seeds' averages over the sets; seeds that lack a set are left out.
std::vector<double> seed_averages(std::span<const ValueTable> sets) {
  std::vector<double> averages;
  for (const int64_t seed : sets.front().seeds) {
    double sum = 0;
    for (const ValueTable& set : sets) {
      const auto found = std::find(set.seeds.begin(), set.seeds.end(), seed);
      sum += found == set.seeds.end() ? kNone : mean_of_seed(set, static_cast<size_t>(found - set.seeds.begin()));
    }
    if (!std::isnan(sum)) averages.push_back(sum / static_cast<double>(sets.size()));
  }
  return averages;
}

// Mean squares of one set's complete problems.
struct SetSquares {
  int64_t problems = 0;
  double between = 0;      // variance of the problems' averages
  double interaction = 0;  // mean square of the seed x problem residuals
};

SetSquares squares_of(const ValueTable& set) {
  const size_t seeds = set.seeds.size();
  std::vector<std::vector<double>> rows;  // complete problems, one value a seed
  for (size_t problem = 0; problem < set.problems.size(); ++problem) {
    std::vector<double> row(seeds);
    for (size_t seed = 0; seed < seeds; ++seed) row[seed] = set.at(seed, problem);
    if (std::none_of(row.begin(), row.end(), [](double value) { return std::isnan(value); })) rows.push_back(std::move(row));
  }
  SetSquares squares;
  squares.problems = static_cast<int64_t>(rows.size());
  if (rows.size() < 2) return squares;
  std::vector<double> problem_means, seed_means(seeds, 0.0);
  for (const std::vector<double>& row : rows) {
    problem_means.push_back(mean_of(row));
    for (size_t seed = 0; seed < row.size(); ++seed) seed_means[seed] += row[seed] / static_cast<double>(rows.size());
  }
  const double deviation = deviation_of(problem_means);
  squares.between = deviation * deviation;
  if (seeds < 2) return squares;
  const double grand = mean_of(problem_means);
  double sum = 0;
  for (size_t problem = 0; problem < rows.size(); ++problem) {
    for (size_t seed = 0; seed < rows[problem].size(); ++seed) {
      const double residual = rows[problem][seed] - problem_means[problem] - seed_means[seed] + grand;
      sum += residual * residual;
    }
  }
  squares.interaction = sum / (static_cast<double>(seeds - 1) * static_cast<double>(rows.size() - 1));
  return squares;
}

// Standard error and Satterthwaite degrees of freedom of the mean (see the header); false where there is none.
bool add_variance(std::span<const ValueTable> sets, int64_t seed_count, MeanInterval& result) {
  const double seeds = static_cast<double>(seed_count);
  const double groups = static_cast<double>(sets.size());
  double from_seeds = 0, from_problems = 0, shared = 0, squares_over_degrees = 0;
  if (seed_count > 1) {
    from_seeds = result.seed_deviation * result.seed_deviation / seeds;
    squares_over_degrees += from_seeds * from_seeds / (seeds - 1);
  }
  for (const ValueTable& set : sets) {
    const SetSquares squares = squares_of(set);
    if (squares.problems < 2) return false;
    const double scale = groups * groups * static_cast<double>(squares.problems);
    const double between = squares.between / scale;
    const double inner = squares.interaction / (scale * seeds);
    from_problems += between;
    shared += inner;
    squares_over_degrees += between * between / static_cast<double>(squares.problems - 1);
    if (seed_count > 1) squares_over_degrees += inner * inner / ((seeds - 1) * static_cast<double>(squares.problems - 1));
  }
  const double variance = std::max({from_seeds + from_problems - shared, from_seeds, from_problems});
  result.standard_error = std::sqrt(variance);
  result.degrees = variance > 0 ? std::max(1.0, variance * variance / squares_over_degrees) : 1.0;
  return true;
}

double two_sided_p(const MeanInterval& result) {
  if (result.standard_error <= 0) return result.value == 0 ? 1 : 0;
  const boost::math::students_t distribution(result.degrees);
  return 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(result.value) / result.standard_error));
}

// Standard deviation of pass@k of n samples of a problem whose rate is c / n.
double deviation_by_sampling(int64_t n, int64_t c, int64_t k) {
  if (c == 0 || c == n) return 0;
  const boost::math::binomial distribution(static_cast<double>(n), static_cast<double>(c) / static_cast<double>(n));
  double mean = 0, square = 0;
  for (int64_t right = 0; right <= n; ++right) {
    const double weight = boost::math::pdf(distribution, static_cast<double>(right));
    const double value = pass_at_k(n, right, k);
    mean += weight * value;
    square += weight * value * value;
  }
  return std::sqrt(std::max(square - mean * mean, 0.0));
}

}  // namespace

double t_quantile(double level, double degrees) {
  return boost::math::quantile(boost::math::students_t(degrees), 0.5 + level / 2);
}

MeanInterval mean_interval(std::span<const ValueTable> sets, double level) {
  MeanInterval result;
  result.value = result.low = result.high = result.standard_error = result.p_value = result.seed_deviation = kNone;
  if (sets.empty()) return result;
  const std::vector<double> averages = seed_averages(sets);
  for (const ValueTable& set : sets) result.problems += static_cast<int64_t>(set.problems.size());
  result.seeds = static_cast<int64_t>(averages.size());
  if (averages.empty()) return result;
  result.value = mean_of(averages);
  if (averages.size() > 1) result.seed_deviation = deviation_of(averages);
  if (!add_variance(sets, result.seeds, result)) return result;
  const double half = t_quantile(level, result.degrees) * result.standard_error;
  result.low = result.value - half;
  result.high = result.value + half;
  result.p_value = two_sided_p(result);
  return result;
}

double sampling_error(const RowResults& row, std::span<const std::string> sets, const std::string& metric) {
  if (!metric.starts_with("pass@") || row.cells.empty() || sets.empty()) return kNone;
  int64_t k = 0;
  std::from_chars(metric.data() + 5, metric.data() + metric.size(), k);
  std::map<std::pair<int64_t, int64_t>, double> known;  // (n, c) -> standard deviation
  double variance = 0;
  for (const CellResults& cell : row.cells) {
    for (const std::string& set : sets) {
      const auto found = cell.policy.sets.find(set);
      if (found == cell.policy.sets.end() || found->second.problems.empty()) return kNone;
      const double weight = 1.0 / static_cast<double>(row.cells.size() * sets.size() * found->second.problems.size());
      for (const ProblemResult& problem : found->second.problems) {
        if (k > problem.n) return kNone;
        const auto [place, added] = known.try_emplace({problem.n, problem.correct}, 0.0);
        if (added) place->second = deviation_by_sampling(problem.n, problem.correct, k);
        variance += weight * weight * place->second * place->second;
      }
    }
  }
  return std::sqrt(variance);
}

}  // namespace harness
