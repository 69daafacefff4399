#include "harness/metrics/set_score.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "harness/core/error.h"
#include "harness/metrics/problem_counts.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/pass_at_k.h"

namespace harness {

namespace {

std::map<int64_t, SetCounts> count_seeds(std::span<const Outcome> outcomes, const std::string& grader) {
  std::map<int64_t, std::map<std::string, Samples>> samples;
  for (const Outcome& outcome : outcomes) samples[outcome.seed][outcome.problem].push_back(&outcome);
  std::map<int64_t, SetCounts> counts;
  for (auto& [seed, problems] : samples) {
    for (auto& [problem, list] : problems) {
      std::stable_sort(list.begin(), list.end(), [](const Outcome* a, const Outcome* b) { return a->sample < b->sample; });
      counts[seed][problem] = count_problem(list, grader);
    }
  }
  return counts;
}

// The values of k that every (seed, problem) has the samples for; the others go to `undefined_ks`.
std::vector<int64_t> choose_ks(SetScore& score, const std::vector<int64_t>& asked) {
  const std::vector<int64_t> powers = asked.empty() ? powers_of_two_up_to(score.n) : asked;
  std::vector<int64_t> ks;
  for (const int64_t k : std::set<int64_t>(powers.begin(), powers.end())) {
    if (k < 1) throw Error("k: expected an integer >= 1, found {}", k);
    (k <= score.n ? ks : score.undefined_ks).push_back(k);
  }
  return ks;
}

}  // namespace

SetScore score_outcomes(std::span<const Outcome> outcomes, const std::string& grader, const ScoreSettings& settings) {
  if (outcomes.empty()) throw Error("expected at least one outcome, found none");
  const std::map<int64_t, SetCounts> counts = count_seeds(outcomes, grader);
  SetScore score;
  score.n = std::numeric_limits<int64_t>::max();
  score.seeds = static_cast<int64_t>(counts.size());
  SeedCounts seeds;
  std::set<std::string> problems;
  std::vector<double> means;
  for (const auto& [seed, set] : counts) {
    seeds[seed] = &set;
    for (const auto& [problem, one] : set) {
      problems.insert(problem);
      score.n = std::min(score.n, one.n);
      score.n_largest = std::max(score.n_largest, one.n);
      means.push_back(pass_at_k(one.n, one.right, 1));
    }
  }
  score.problems = static_cast<int64_t>(problems.size());
  score.pass_rate = mean_of(means);
  score.iqm = interquartile_mean(means);
  std::vector<Quantity> quantities;
  for (const int64_t k : choose_ks(score, settings.ks)) {
    quantities.push_back(Quantity::pass(k));
    quantities.push_back({Quantity::Kind::maj, k, 0});
    for (const double tau : settings.taus) quantities.push_back({Quantity::Kind::g_pass, k, tau});
  }
  if (!quantities.empty()) {
    const std::vector<Estimate> estimates =
        crossed_bootstrap(seed_tables(seeds, quantities, settings.seed), RandomStream("score bootstrap", {settings.seed}));
    for (size_t q = 0; q < quantities.size(); ++q) score.means[quantities[q]] = estimates[q];
  }
  score.diversity = diversity_of(outcomes, grader);
  return score;
}

OrderedJson to_json(const SetScore& score) {
  OrderedJson pass = OrderedJson::object(), maj = pass, gains = pass, g_pass = pass;
  for (const auto& [quantity, estimate] : score.means) {
    const OrderedJson interval{{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
    const std::string k = std::to_string(quantity.k);
    if (quantity.kind == Quantity::Kind::maj) maj[k] = interval;
    if (quantity.kind == Quantity::Kind::g_pass) g_pass[k][fmt::format("{}", quantity.tau)] = interval;
    if (quantity.kind != Quantity::Kind::pass) continue;
    pass[k] = interval;
    gains[k] = estimate.value - score.pass_rate;
  }
  OrderedJson object;
  object["n"] = score.n;
  if (score.n_largest != score.n) object["n_largest"] = score.n_largest;
  object["problems"] = score.problems;
  object["seeds"] = score.seeds;
  object["pass@k"] = std::move(pass);
  object["maj@k"] = std::move(maj);
  object["pass_gain"] = std::move(gains);
  object["g_pass@k"] = std::move(g_pass);
  object["iqm"] = score.iqm;
  if (!score.undefined_ks.empty()) object["undefined_k"] = score.undefined_ks;
  object["diversity"] = to_json(score.diversity);
  return object;
}

}  // namespace harness
