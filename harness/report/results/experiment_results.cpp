#include "harness/report/results/experiment_results.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/random.h"
#include "harness/stats/majority.h"
#include "harness/stats/pass_at_k.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

std::string resolve(const std::string& folder, const std::string& path) {
  if (path.empty()) return "";
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

// The message with the path as experiment.json has it, so that what is written does not depend on where the folder lies.
std::string with_relative(std::string message, const std::string& path, const std::string& relative) {
  if (message.starts_with(path)) message.replace(0, path.size(), relative);
  return message;
}

std::optional<CellResults> read_cell(const ExperimentManifest& manifest, const std::string& folder, const ManifestCell& cell,
                                     const ReadSettings& settings, std::vector<std::string>& warnings) {
  CellResults results;
  results.seed = cell.seed;
  results.budget = cell.budget;
  results.train_pass_rate = cell.train_pass_rate;
  results.config_path = resolve(folder, cell.config);
  results.timing_path = resolve(folder, cell.timing);
  const std::string path = resolve(folder, cell.outcomes);
  try {
    const CountSettings count{settings.grader.empty() ? manifest.grader : settings.grader, manifest.n, settings.read_problems};
    const OutcomeFile file = read_outcomes(path);
    results.policy = with_context(path, [&] { return count_outcomes(file, count); });
    for (const std::string& set : manifest.sets) {
      if (!results.policy.sets.contains(set)) throw Error("{}: expected outcomes of the set {}, found none", path, set);
    }
  } catch (const Error& error) {
    warnings.push_back(with_relative(error.what(), path, cell.outcomes));
    return std::nullopt;
  }
  if (settings.curves && !cell.metrics.empty()) {
    const std::string metrics = resolve(folder, cell.metrics);
    try {
      results.curves = read_training_curves(metrics);
    } catch (const Error& error) {
      warnings.push_back(with_relative(error.what(), metrics, cell.metrics));
    }
  }
  return results;
}

RowResults read_row(const ExperimentManifest& manifest, const std::string& folder, const ManifestRow& row,
                    const ReadSettings& settings, std::vector<std::string>& warnings) {
  RowResults results;
  results.row = row;
  for (const ManifestCell& cell : row.cells) {
    if (!cell.failed.empty()) {
      results.failures.push_back(fmt::format("{}, seed {}: {}", row.shown(), cell.seed, cell.failed));
      continue;
    }
    ReadSettings mine = settings;
    if (!results.cells.empty()) mine.read_problems = 0;
    if (auto read = read_cell(manifest, folder, cell, mine, warnings)) {
      results.cells.push_back(std::move(*read));
    } else {
      results.failures.push_back(fmt::format("{}, seed {}: {}", row.shown(), cell.seed, warnings.back()));
    }
  }
  std::sort(results.cells.begin(), results.cells.end(),
            [](const CellResults& a, const CellResults& b) { return a.seed < b.seed; });
  return results;
}

const ProblemResult* find_problem(const CellResults& cell, const std::string& set, const std::string& problem) {
  const auto found = cell.policy.sets.find(set);
  if (found == cell.policy.sets.end()) return nullptr;
  const auto& problems = found->second.problems;
  const auto place = std::lower_bound(problems.begin(), problems.end(), problem,
                                      [](const ProblemResult& result, const std::string& id) { return result.problem < id; });
  return place != problems.end() && place->problem == problem ? &*place : nullptr;
}

// Absent where only counts are known.
std::optional<double> majority_of(const ProblemResult& problem, int64_t k) {
  if (problem.votes.answers.empty()) return std::nullopt;
  const RandomStream stream("maj@k subsets", {0, static_cast<uint64_t>(problem.seed), hash64(problem.problem)});
  return majority_at_k(problem.votes, std::vector<int64_t>{k}, stream).front();
}

}  // namespace

bool RowResults::trained() const {
  return std::any_of(row.cells.begin(), row.cells.end(),
                     [](const ManifestCell& cell) { return cell.budget.updates > 0 || !cell.metrics.empty(); });
}

const RowResults* ExperimentResults::find(const std::string& base_model, const std::string& name) const {
  for (const RowResults& row : rows) {
    if (row.row.base_model == base_model && row.row.name == name) return &row;
  }
  return nullptr;
}

ExperimentResults read_experiment(const std::string& folder, const ReadSettings& settings) {
  ExperimentResults results;
  results.folder = folder;
  results.manifest = read_manifest(folder);
  for (const ManifestRow& row : results.manifest.rows) {
    results.rows.push_back(read_row(results.manifest, folder, row, settings, results.warnings));
  }
  return results;
}

std::optional<double> problem_value(const ProblemResult& problem, const std::string& metric) {
  const auto share = [&](int64_t count) { return static_cast<double>(count) / static_cast<double>(problem.n); };
  if (const size_t at = metric.find('@'); at != std::string::npos) {
    const std::string quantity = metric.substr(0, at);
    const char* const end = metric.data() + metric.size();
    int64_t k = 0;
    const char* rest = std::from_chars(metric.data() + at + 1, end, k).ptr;
    if (k < 1 || k > problem.n) return std::nullopt;
    if (quantity == "pass") return pass_at_k(problem.n, problem.correct, k);
    if (quantity == "maj") return majority_of(problem, k);
    double tau = 0;
    if (quantity == "g_pass" && rest != end && std::from_chars(rest + 1, end, tau).ptr == end) {
      return g_pass_at_k(problem.n, problem.correct, k, tau);
    }
  }
  if (metric == "distinct_answers") return static_cast<double>(problem.distinct_answers);
  if (metric == "answer_entropy") return problem.answer_entropy;
  if (metric == "no_answer") return share(problem.no_answer);
  if (metric == "undecided") return share(problem.undecided);
  if (metric == "disagreement") return share(problem.disagree);
  if (metric == "mean_entropy") return problem.mean_entropy;
  if (metric == "tokens") return problem.mean_tokens;
  throw Error(
      "column {}: expected pass@K, g_pass@K_TAU, maj@K, distinct_answers, answer_entropy, no_answer, undecided, disagreement, "
      "mean_entropy or "
      "tokens, found no such quantity",
      metric);
}

ValueTable::ValueTable(std::vector<int64_t> seeds_of, std::vector<std::string> problems_of)
    : seeds(std::move(seeds_of)), problems(std::move(problems_of)), values(seeds.size() * problems.size(), kUndefined) {}

ValueTable value_table(const RowResults& row, const std::string& set, const std::string& metric) {
  std::set<std::string> problems;
  std::vector<int64_t> seeds;
  for (const CellResults& cell : row.cells) {
    const auto found = cell.policy.sets.find(set);
    if (found == cell.policy.sets.end()) continue;
    seeds.push_back(cell.seed);
    for (const ProblemResult& problem : found->second.problems) problems.insert(problem.problem);
  }
  ValueTable table(seeds, {problems.begin(), problems.end()});
  size_t seed = 0;
  for (const CellResults& cell : row.cells) {
    if (!cell.policy.sets.contains(set)) continue;
    for (size_t problem = 0; problem < table.problems.size(); ++problem) {
      const ProblemResult* result = find_problem(cell, set, table.problems[problem]);
      if (result != nullptr) table.at(seed, problem) = problem_value(*result, metric).value_or(kUndefined);
    }
    ++seed;
  }
  return table;
}

ValueTable paired_difference(const ValueTable& row, const ValueTable& base) {
  const bool untrained = base.seeds == std::vector<int64_t>{0};
  std::vector<std::pair<size_t, size_t>> seeds, problems;  // places in either table
  std::vector<int64_t> seeds_of;
  std::vector<std::string> problems_of;
  for (size_t i = 0; i < row.seeds.size(); ++i) {
    const auto found = untrained ? base.seeds.begin() : std::find(base.seeds.begin(), base.seeds.end(), row.seeds[i]);
    if (found == base.seeds.end()) continue;
    seeds.emplace_back(i, found - base.seeds.begin());
    seeds_of.push_back(row.seeds[i]);
  }
  for (size_t i = 0; i < row.problems.size(); ++i) {
    const auto found = std::lower_bound(base.problems.begin(), base.problems.end(), row.problems[i]);
    if (found == base.problems.end() || *found != row.problems[i]) continue;
    problems.emplace_back(i, found - base.problems.begin());
    problems_of.push_back(row.problems[i]);
  }
  ValueTable table(seeds_of, problems_of);
  for (size_t s = 0; s < seeds.size(); ++s) {
    for (size_t p = 0; p < problems.size(); ++p) {
      table.at(s, p) = row.at(seeds[s].first, problems[p].first) - base.at(seeds[s].second, problems[p].second);
    }
  }
  return table;
}

std::string counts_csv(const ExperimentResults& results) {
  std::string text = "base_model,row,seed,set,problem,n,correct\n";
  for (const RowResults& row : results.rows) {
    for (const CellResults& cell : row.cells) {
      for (const auto& [set, result] : cell.policy.sets) {
        for (const ProblemResult& problem : result.problems) {
          text += fmt::format("{},{},{},{},{},{},{}\n", csv_field(row.row.base_model), csv_field(row.row.name), cell.seed,
                              csv_field(set), csv_field(problem.problem), problem.n, problem.correct);
        }
      }
    }
  }
  return text;
}

}  // namespace harness
