#include "harness/report/table/intervals.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "harness/stats/aggregate.h"
#include "harness/stats/compare.h"
#include "harness/stats/pass_at_k.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

// The sets as tables over the seeds that all of them have; empty where a set has no problem or no seed is shared.
std::vector<CellTable> over_shared_seeds(std::span<const ValueTable> sets) {
  std::vector<int64_t> seeds = sets.front().seeds;
  for (const ValueTable& set : sets) {
    std::erase_if(seeds, [&](int64_t seed) { return std::find(set.seeds.begin(), set.seeds.end(), seed) == set.seeds.end(); });
  }
  std::vector<CellTable> tables;
  for (const ValueTable& set : sets) {
    if (seeds.empty() || set.problems.empty()) return {};
    CellTable table(static_cast<int64_t>(seeds.size()), static_cast<int64_t>(set.problems.size()), 1);
    for (size_t seed = 0; seed < seeds.size(); ++seed) {
      const auto place = std::find(set.seeds.begin(), set.seeds.end(), seeds[seed]) - set.seeds.begin();
      for (size_t problem = 0; problem < set.problems.size(); ++problem) {
        table.at(static_cast<int64_t>(seed), static_cast<int64_t>(problem), 0) = set.at(static_cast<size_t>(place), problem);
      }
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

// The seeds' averages over the sets, each set the mean over its defined problems.
std::vector<double> seed_averages(std::span<const CellTable> sets) {
  std::vector<double> averages;
  for (int64_t seed = 0; seed < sets.front().seeds(); ++seed) {
    double sum = 0;
    for (const CellTable& set : sets) {
      std::vector<double> values;
      for (int64_t problem = 0; problem < set.problems(); ++problem) {
        if (!std::isnan(set.at(seed, problem, 0))) values.push_back(set.at(seed, problem, 0));
      }
      sum += mean_of(values);
    }
    if (!std::isnan(sum)) averages.push_back(sum / static_cast<double>(sets.size()));
  }
  return averages;
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
  result.value = result.low = result.high = result.standard_error = result.p_value = result.seed_deviation = kUndefined;
  if (sets.empty()) return result;
  const std::vector<CellTable> tables = over_shared_seeds(sets);
  if (tables.empty()) return result;
  const std::vector<double> averages = seed_averages(tables);
  for (const ValueTable& set : sets) result.problems += static_cast<int64_t>(set.problems.size());
  result.seeds = static_cast<int64_t>(averages.size());
  if (averages.empty()) return result;
  result.value = mean_of(averages);
  result.seed_deviation = deviation_of(averages);
  const CrossedMean crossed = crossed_mean(tables, level);
  result.standard_error = crossed.standard_error;
  result.degrees = crossed.degrees;
  result.p_value = crossed.p_value;
  const double half = (crossed.high - crossed.low) / 2;
  result.low = result.value - half;
  result.high = result.value + half;
  return result;
}

double sampling_error(const RowResults& row, std::span<const std::string> sets, const std::string& metric) {
  if (!metric.starts_with("pass@") || row.cells.empty() || sets.empty()) return kUndefined;
  int64_t k = 0;
  std::from_chars(metric.data() + 5, metric.data() + metric.size(), k);
  std::map<std::pair<int64_t, int64_t>, double> known;  // (n, c) -> standard deviation
  double variance = 0;
  for (const CellResults& cell : row.cells) {
    for (const std::string& set : sets) {
      const auto found = cell.policy.sets.find(set);
      if (found == cell.policy.sets.end() || found->second.problems.empty()) return kUndefined;
      const double weight = 1.0 / static_cast<double>(row.cells.size() * sets.size() * found->second.problems.size());
      for (const ProblemResult& problem : found->second.problems) {
        if (k > problem.n) return kUndefined;
        const auto [place, added] = known.try_emplace({problem.n, problem.correct}, 0.0);
        if (added) place->second = deviation_by_sampling(problem.n, problem.correct, k);
        variance += weight * weight * place->second * place->second;
      }
    }
  }
  return std::sqrt(variance);
}

}  // namespace harness
