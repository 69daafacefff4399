#include "harness/metrics/set_score.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/majority.h"
#include "harness/stats/pass_at_k.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

using CellKey = std::pair<int64_t, std::string>;  // seed, problem
using CellSamples = std::map<CellKey, std::vector<const Outcome*>>;

// The answer as a vote: normalised where the grader normalises, else as written.
const std::optional<std::string>& answer_of(const Outcome& outcome) {
  return outcome.normalised ? outcome.normalised : outcome.extracted;
}

Votes votes_of(const std::vector<const Outcome*>& samples, const std::string& grader) {
  Votes votes;
  std::map<std::string, int64_t> numbers;
  std::vector<int64_t> counts;
  for (const Outcome* sample : samples) {
    const auto& answer = answer_of(*sample);
    if (!answer) {
      votes.answers.push_back(-1);
      continue;
    }
    const auto [place, is_new] = numbers.try_emplace(*answer, static_cast<int64_t>(numbers.size()));
    if (is_new) {
      votes.right.push_back(0);
      counts.push_back(0);
    }
    const auto number = static_cast<size_t>(place->second);
    votes.answers.push_back(place->second);
    votes.right[number] += sample->correct(grader) ? 1.0 : 0.0;
    ++counts[number];
  }
  for (size_t i = 0; i < counts.size(); ++i) votes.right[i] /= static_cast<double>(counts[i]);
  return votes;
}

CellScore count_cell(const CellKey& key, const std::vector<const Outcome*>& samples, const std::string& grader) {
  CellScore cell;
  cell.seed = key.first;
  cell.problem = key.second;
  cell.n = static_cast<int64_t>(samples.size());
  for (const Outcome* sample : samples) {
    cell.c += sample->correct(grader) ? 1 : 0;
    cell.no_answer += answer_of(*sample) ? 0 : 1;
    cell.undecided += sample->verdicts.at(grader) == "undecided" ? 1 : 0;
    cell.truncated += sample->finish == "length" ? 1 : 0;
  }
  return cell;
}

void count_cells(SetScore& score, const CellSamples& samples) {
  std::set<int64_t> seeds;
  std::set<std::string> problems;
  score.n = std::numeric_limits<int64_t>::max();
  CellScore sums;
  for (const auto& [key, cell_samples] : samples) {
    score.cells.push_back(count_cell(key, cell_samples, score.grader));
    const CellScore& cell = score.cells.back();
    seeds.insert(cell.seed);
    problems.insert(cell.problem);
    score.n = std::min(score.n, cell.n);
    score.n_largest = std::max(score.n_largest, cell.n);
    sums.n += cell.n;
    sums.no_answer += cell.no_answer;
    sums.undecided += cell.undecided;
    sums.truncated += cell.truncated;
    for (const Outcome* sample : cell_samples) score.tokens += sample->tokens;
  }
  score.seeds.assign(seeds.begin(), seeds.end());
  score.problems.assign(problems.begin(), problems.end());
  const auto share = [&](int64_t count) { return static_cast<double>(count) / static_cast<double>(sums.n); };
  score.no_answer_share = share(sums.no_answer);
  score.undecided_share = share(sums.undecided);
  score.truncated_share = share(sums.truncated);
}

void choose_ks(SetScore& score, const std::vector<int64_t>& asked) {
  const std::set<int64_t> wanted = asked.empty() ? [&] {
    const auto powers = powers_of_two_up_to(score.n);
    return std::set<int64_t>(powers.begin(), powers.end());
  }() : std::set<int64_t>(asked.begin(), asked.end());
  for (const int64_t k : wanted) {
    if (k < 1) throw Error("k: expected an integer >= 1, found {}", k);
    (k <= score.n ? score.ks : score.undefined_ks).push_back(k);
  }
}

int64_t place_of(const std::vector<int64_t>& sorted, int64_t value) {
  return std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
}
int64_t place_of(const std::vector<std::string>& sorted, const std::string& value) {
  return std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
}

// pass@k, then maj@k, one quantity each for every k, then G-pass@k, one for every k and threshold.
CellTable table_of(const SetScore& score, const std::vector<double>& taus) {
  const auto ks = static_cast<int64_t>(score.ks.size());
  const auto thresholds = static_cast<int64_t>(taus.size());
  CellTable table(static_cast<int64_t>(score.seeds.size()), static_cast<int64_t>(score.problems.size()), (2 + thresholds) * ks);
  for (const CellScore& cell : score.cells) {
    const int64_t seed = place_of(score.seeds, cell.seed);
    const int64_t problem = place_of(score.problems, cell.problem);
    for (int64_t i = 0; i < ks; ++i) {
      table.at(seed, problem, i) = pass_at_k(cell.n, cell.c, score.ks[static_cast<size_t>(i)]);
      table.at(seed, problem, ks + i) = cell.maj[static_cast<size_t>(i)];
      for (int64_t t = 0; t < thresholds; ++t) {
        table.at(seed, problem, (2 + t) * ks + i) =
            g_pass_at_k(cell.n, cell.c, score.ks[static_cast<size_t>(i)], taus[static_cast<size_t>(t)]);
      }
    }
  }
  return table;
}

}  // namespace

SetScore score_outcomes(std::span<const Outcome> outcomes, const std::string& grader, const ScoreSettings& settings) {
  if (outcomes.empty()) throw Error("expected at least one outcome, found none");
  CellSamples samples;
  for (const Outcome& outcome : outcomes) samples[{outcome.seed, outcome.problem}].push_back(&outcome);
  for (auto& [key, cell] : samples) {
    std::stable_sort(cell.begin(), cell.end(), [](const Outcome* a, const Outcome* b) { return a->sample < b->sample; });
  }
  SetScore score;
  score.grader = grader;
  count_cells(score, samples);
  choose_ks(score, settings.ks);
  std::vector<double> means;
  for (CellScore& cell : score.cells) {
    const RandomStream stream("maj@k subsets", {settings.seed, static_cast<uint64_t>(cell.seed), hash64(cell.problem)});
    cell.maj =
        majority_at_k(votes_of(samples.at({cell.seed, cell.problem}), grader), score.ks, stream, settings.majority_subsets);
    means.push_back(cell.mean());
  }
  score.iqm = interquartile_mean(means);
  if (!score.ks.empty()) {
    BootstrapSettings bootstrap;
    bootstrap.replicates = settings.replicates;
    const auto estimates =
        crossed_bootstrap(table_of(score, settings.taus), RandomStream("score bootstrap", {settings.seed}), bootstrap);
    for (size_t i = 0; i < score.ks.size(); ++i) {
      score.pass_at_k[score.ks[i]] = estimates[i];
      score.maj_at_k[score.ks[i]] = estimates[score.ks.size() + i];
      score.pass_gain[score.ks[i]] = estimates[i].value - mean_of(means);
      for (size_t t = 0; t < settings.taus.size(); ++t) {
        score.g_pass_at_k[score.ks[i]][settings.taus[t]] = estimates[(2 + t) * score.ks.size() + i];
      }
    }
  }
  if (settings.diversity) score.diversity = diversity_of(outcomes, grader);
  return score;
}

CellTable pass_table(const SetScore& score, int64_t k) {
  CellTable table(static_cast<int64_t>(score.seeds.size()), static_cast<int64_t>(score.problems.size()), 1);
  for (const CellScore& cell : score.cells) {
    if (k <= cell.n)
      table.at(place_of(score.seeds, cell.seed), place_of(score.problems, cell.problem), 0) = pass_at_k(cell.n, cell.c, k);
  }
  return table;
}

OrderedJson to_json(const SetScore& score) {
  const auto intervals = [](const std::map<int64_t, Estimate>& estimates) {
    OrderedJson object = OrderedJson::object();
    for (const auto& [k, estimate] : estimates) {
      object[std::to_string(k)] = {{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
    }
    return object;
  };
  OrderedJson gains = OrderedJson::object();
  for (const auto& [k, gain] : score.pass_gain) gains[std::to_string(k)] = gain;
  OrderedJson object;
  object["n"] = score.n;
  if (score.n_largest != score.n) object["n_largest"] = score.n_largest;
  object["problems"] = score.problems.size();
  object["seeds"] = score.seeds.size();
  object["pass@k"] = intervals(score.pass_at_k);
  object["maj@k"] = intervals(score.maj_at_k);
  object["pass_gain"] = std::move(gains);
  OrderedJson thresholds = OrderedJson::object();
  for (const auto& [k, by_tau] : score.g_pass_at_k) {
    for (const auto& [tau, estimate] : by_tau) {
      thresholds[std::to_string(k)][fmt::format("{}", tau)] = {
          {"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
    }
  }
  object["g_pass@k"] = std::move(thresholds);
  object["iqm"] = score.iqm;
  if (!score.undefined_ks.empty()) object["undefined_k"] = score.undefined_ks;
  object["diversity"] = to_json(score.diversity);
  return object;
}

}  // namespace harness
