#include "harness/stats/components.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/core/error.h"
#include "harness/stats/aggregate.h"

namespace harness {

namespace {

// A mean square as it stands in the variance of the mean, and how often it counts in each part.
struct SquareTerm {
  double value = 0, degrees = 1;
  double in_seed = 0, in_problem = 0, in_interaction = 0;
  [[nodiscard]] double in_total() const { return in_seed + in_problem + in_interaction; }
};

std::vector<SquareTerm> terms_of(const CrossedSquares& squares) {
  const auto n = static_cast<double>(squares.seeds.size());
  const bool several = squares.seeds.size() > 1;
  std::vector<SquareTerm> terms;
  if (several) terms.push_back({squares.from_seeds, n - 1, 1, 0, 0});
  for (const CrossedSquares::Set& set : squares.sets) {
    const auto problems = static_cast<double>(set.problems);
    terms.push_back({set.between, problems - 1, 0, 1, 0});
    if (several) terms.push_back({set.residual, (n - 1) * (problems - 1), -1, -1, 1});
  }
  return terms;
}

// Fills in the share of a part in `total`; `count` is how often a term counts in the part.
template <typename Count>
void set_share(VariancePart& part, double total, const std::vector<SquareTerm>& terms, Count count) {
  part.share = part.variance / total;
  double variance = 0;
  for (const SquareTerm& term : terms) {
    const double slope = (count(term) - part.share * term.in_total()) * term.value / total;
    variance += slope * slope * 2 / (term.degrees + 2);
  }
  part.share_error = std::sqrt(variance);
}

}  // namespace

VarianceParts variance_parts(std::span<const SeedTable> sets, double samples, double fixed_samples) {
  VarianceParts parts;
  const CrossedSquares squares = crossed_squares(sets);
  parts.seeds = static_cast<int64_t>(squares.seeds.size());
  parts.problems = squares.problems;
  const auto few = [](const CrossedSquares::Set& set) { return set.problems < 2; };
  if (parts.seeds == 0 || std::any_of(squares.sets.begin(), squares.sets.end(), few)) return parts;
  const std::vector<SquareTerm> terms = terms_of(squares);
  double seed = 0, problem = 0, interaction = 0;
  for (const SquareTerm& term : terms) {
    seed += term.in_seed * term.value;
    problem += term.in_problem * term.value;
    interaction += term.in_interaction * term.value;
  }
  const bool several = parts.seeds > 1;
  parts.paired_samples = samples;
  parts.samples.variance = samples + fixed_samples;
  parts.problem.variance = problem - fixed_samples - (several ? 0 : samples);
  if (several) {
    parts.seed.variance = seed;
    parts.interaction.variance = interaction - samples;
  }
  const double total = seed + problem + interaction;
  if (!(total > 0)) return parts;
  set_share(parts.problem, total, terms, [](const SquareTerm& term) { return term.in_problem; });
  set_share(parts.samples, total, terms, [](const SquareTerm&) { return 0.0; });
  if (!several) return parts;
  set_share(parts.seed, total, terms, [](const SquareTerm& term) { return term.in_seed; });
  set_share(parts.interaction, total, terms, [](const SquareTerm& term) { return term.in_interaction; });
  return parts;
}

BestSamples best_samples(const VarianceParts& parts, double samples, const SeedCost& cost) {
  const double of_seeds = parts.seed.variance + parts.interaction.variance;
  const double of_one_sample = parts.paired_samples * samples;
  const double of_round = static_cast<double>(parts.problems) * cost.sample;  // one more sample of every problem
  if (!(of_seeds > 0 && of_one_sample > 0 && of_round > 0 && cost.training > 0)) return {};
  const auto variance_for_cost = [&](double count) {
    return (of_seeds + of_one_sample / count) * (cost.training + count * of_round);
  };
  BestSamples best;
  best.n = std::max(1.0, std::round(std::sqrt(of_one_sample * cost.training / (of_seeds * of_round))));
  best.gain = variance_for_cost(samples) / variance_for_cost(best.n);
  return best;
}

Pairing pairing(std::span<const double> row, std::span<const double> base) {
  MEDSBENCH_CHECK(row.size() == base.size(), "{} seeds against {}", row.size(), base.size());
  Pairing result;
  const double of_row = deviation_of(row), of_base = deviation_of(base);
  if (!(of_row > 0 && of_base > 0)) return result;
  std::vector<double> differences;
  for (size_t s = 0; s < row.size(); ++s) differences.push_back(row[s] - base[s]);
  const double of_difference = deviation_of(differences);
  const double both = of_row * of_row + of_base * of_base;
  // Var(x - y) / (Var x + Var y) = 1 - correlation * alike.
  const double alike = 2 * of_row * of_base / both;
  result.variance_ratio = of_difference * of_difference / both;
  result.correlation = std::clamp((1 - result.variance_ratio) / alike, -1.0, 1.0);
  if (row.size() < 4) return result;
  constexpr double kNormal95 = 1.959963984540054;
  const double reach = kNormal95 / std::sqrt(static_cast<double>(row.size()) - 3);
  result.low = std::tanh(std::atanh(result.correlation) - reach);
  result.high = std::tanh(std::atanh(result.correlation) + reach);
  result.ratio_low = 1 - result.high * alike;
  result.ratio_high = 1 - result.low * alike;
  return result;
}

}  // namespace harness
