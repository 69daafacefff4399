#include "harness/stats/compare.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/stats/aggregate.h"
#include "harness/stats/distributions.h"

namespace harness {

namespace {

double square(double value) { return value * value; }

double variance_of(std::span<const double> values) { return values.size() < 2 ? 0.0 : square(deviation_of(values)); }

// Places of the seeds in a table that has them all.
std::vector<size_t> places_of(const std::vector<int64_t>& seeds, const SeedTable& table) {
  std::vector<size_t> places;
  for (const int64_t seed : seeds) {
    places.push_back(static_cast<size_t>(std::find(table.seeds.begin(), table.seeds.end(), seed) - table.seeds.begin()));
  }
  return places;
}

// The seeds that every set has, in the order of the first; none where a set has no problem.
std::vector<int64_t> shared_seeds(std::span<const SeedTable> sets) {
  std::vector<int64_t> seeds;
  if (!sets.empty()) seeds = sets.front().seeds;
  for (const SeedTable& set : sets) {
    if (set.problems.empty()) return {};
    std::erase_if(seeds, [&](int64_t seed) { return std::find(set.seeds.begin(), set.seeds.end(), seed) == set.seeds.end(); });
  }
  return seeds;
}

// Mean squares of one set.
struct MeanSquares {
  int64_t problems = 0;  // complete ones
  double between = 0;    // variance of the problems' averages over the seeds
  double residual = 0;   // mean square of the seed x problem residuals
};

MeanSquares mean_squares(const SeedTable& table, const std::vector<size_t>& seeds) {
  const auto n = static_cast<double>(seeds.size());
  std::vector<size_t> complete;
  std::vector<double> problem_means;
  std::vector<double> sums(seeds.size(), 0.0);  // of each seed over the complete problems
  for (size_t problem = 0; problem < table.problems.size(); ++problem) {
    double sum = 0;
    for (const size_t seed : seeds) sum += table.at(seed, problem);
    if (std::isnan(sum)) continue;
    complete.push_back(problem);
    problem_means.push_back(sum / n);
    for (size_t s = 0; s < seeds.size(); ++s) sums[s] += table.at(seeds[s], problem);
  }
  MeanSquares squares;
  squares.problems = static_cast<int64_t>(complete.size());
  squares.between = variance_of(problem_means);
  if (seeds.size() < 2 || complete.size() < 2) return squares;
  const double grand = mean_of(problem_means);
  double sum = 0;
  for (size_t i = 0; i < complete.size(); ++i) {
    for (size_t s = 0; s < seeds.size(); ++s) {
      const double seed_effect = sums[s] / static_cast<double>(complete.size()) - grand;
      sum += square(table.at(seeds[s], complete[i]) - problem_means[i] - seed_effect);
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

double satterthwaite(double variance, const std::vector<Term>& terms) {
  double sum = 0;
  for (const Term& term : terms) sum += square(term.value) / term.degrees;
  return sum > 0 ? std::max(1.0, square(variance) / sum) : 1.0;
}

void set_interval(MeanInterval& mean) {
  if (mean.standard_error <= 0) {
    mean.low = mean.high = mean.value;
    mean.p_value = mean.value == 0 ? 1 : 0;
    return;
  }
  const double reach = t_quantile(0.95, mean.degrees) * mean.standard_error;
  // Rounded to what the ends hold of it: the last digits of published tables.
  const double half = ((mean.value + reach) - (mean.value - reach)) / 2;
  mean.low = mean.value - half;
  mean.high = mean.value + half;
  mean.p_value = t_two_sided_p(mean.value / mean.standard_error, mean.degrees);
}

}  // namespace

CrossedSquares crossed_squares(std::span<const SeedTable> sets) {
  CrossedSquares squares;
  const std::vector<int64_t> shared = shared_seeds(sets);
  if (shared.empty()) return squares;
  std::vector<double> sums(shared.size(), 0.0);  // of each seed over the sets
  for (const SeedTable& set : sets) {
    const std::vector<double> means = seed_means(set);
    const std::vector<size_t> places = places_of(shared, set);
    for (size_t s = 0; s < shared.size(); ++s) sums[s] += means[places[s]];
    squares.problems += static_cast<int64_t>(set.problems.size());
  }
  const auto groups = static_cast<double>(sets.size());
  for (size_t s = 0; s < shared.size(); ++s) {
    if (std::isnan(sums[s])) continue;
    squares.seeds.push_back(shared[s]);
    squares.averages.push_back(sums[s] / groups);
  }
  if (squares.seeds.empty()) return squares;
  const auto n = static_cast<double>(squares.seeds.size());
  squares.from_seeds = variance_of(squares.averages) / n;
  for (const SeedTable& set : sets) {
    const MeanSquares found = mean_squares(set, places_of(squares.seeds, set));
    const double scale = groups * groups * static_cast<double>(found.problems);
    squares.sets.push_back({found.problems, found.between / scale, found.residual / (scale * n)});
  }
  return squares;
}

MeanInterval crossed_mean(std::span<const SeedTable> sets) {
  MeanInterval mean;
  const CrossedSquares squares = crossed_squares(sets);
  mean.problems = squares.problems;
  mean.seeds = static_cast<int64_t>(squares.seeds.size());
  if (squares.seeds.empty()) return mean;
  mean.value = mean_of(squares.averages);
  mean.seed_deviation = deviation_of(squares.averages);

  const auto n = static_cast<double>(squares.seeds.size());
  const double from_seeds = squares.from_seeds;
  double from_problems = 0;
  double counted_twice = 0;
  std::vector<Term> terms;
  if (mean.seeds > 1) terms.push_back({from_seeds, n - 1});
  for (const CrossedSquares::Set& set : squares.sets) {
    if (set.problems < 2) return mean;
    const auto problems = static_cast<double>(set.problems);
    terms.push_back({set.between, problems - 1});
    from_problems += set.between;
    if (mean.seeds > 1) terms.push_back({set.residual, (n - 1) * (problems - 1)});
    counted_twice += set.residual;
  }
  const double variance = std::max({from_seeds + from_problems - counted_twice, from_seeds, from_problems});
  mean.standard_error = std::sqrt(variance);
  mean.degrees = satterthwaite(variance, terms);
  set_interval(mean);
  return mean;
}

MeanInterval crossed_rate(std::span<const SeedTable> sets) {
  MeanInterval mean = crossed_mean(sets);
  if (!std::isnan(mean.low)) {
    mean.low = std::max(0.0, mean.low);
    mean.high = std::min(1.0, mean.high);
  }
  return mean;
}

MeanInterval interquartile_interval(std::span<const std::vector<double>> seeds) {
  const auto without = [&](size_t left_out) {
    std::vector<double> scores;
    for (size_t s = 0; s < seeds.size(); ++s) {
      if (s != left_out) scores.insert(scores.end(), seeds[s].begin(), seeds[s].end());
    }
    return interquartile_mean(scores);
  };
  MeanInterval mean;
  mean.value = without(seeds.size());
  mean.seeds = static_cast<int64_t>(seeds.size());
  if (seeds.size() < 2) return mean;
  const auto n = static_cast<double>(seeds.size());
  std::vector<double> pseudo;
  for (size_t s = 0; s < seeds.size(); ++s) pseudo.push_back(n * mean.value - (n - 1) * without(s));
  mean.standard_error = deviation_of(pseudo) / std::sqrt(n);
  mean.degrees = n - 1;
  set_interval(mean);
  mean.low = std::max(0.0, mean.low);
  mean.high = std::min(1.0, mean.high);
  return mean;
}

std::vector<HolmDecision> holm(std::span<const double> p_values) {
  constexpr double kAlpha = 0.05;
  const size_t count = p_values.size();
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<HolmDecision> decisions(count);
  double largest = 0;    // adjusted p-values do not decrease
  bool stopped = false;  // from the first comparison that is not different on, none is
  double level = 1 - kAlpha;
  for (size_t rank = 0; rank < count; ++rank) {
    HolmDecision& decision = decisions[order[rank]];
    const double steps = static_cast<double>(count - rank);
    largest = std::max(largest, std::min(1.0, steps * p_values[order[rank]]));
    if (!stopped) level = 1 - kAlpha / steps;
    stopped = stopped || largest >= kAlpha;
    decision = {largest, level, !stopped};
  }
  return decisions;
}

}  // namespace harness
