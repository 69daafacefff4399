#include "harness/report/results/experiment_results.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "harness/core/error.h"
#include "harness/data/problem_file.h"

namespace harness {

namespace {

// One response of the largest groups of equal answers: the first right one and up to three wrong ones, largest group first.
void keep_samples(const Samples& samples, const std::string& grader, std::vector<SampleText>& kept) {
  struct Group {
    const Outcome* first = nullptr;
    int64_t size = 0;
  };
  std::map<std::pair<bool, std::string>, Group> groups;
  for (const Outcome* outcome : samples) {
    Group& group = groups[{outcome->correct(grader), outcome->final_answer().value_or("")}];
    if (group.first == nullptr) group.first = outcome;
    ++group.size;
  }
  std::vector<Group> order;
  for (const auto& [key, group] : groups) order.push_back(group);
  std::stable_sort(order.begin(), order.end(), [](const Group& a, const Group& b) { return a.size > b.size; });
  int64_t right = 0, wrong = 0;
  for (const Group& group : order) {
    const Outcome& outcome = *group.first;
    const bool is_right = outcome.correct(grader);
    if ((is_right ? right : wrong) >= (is_right ? 1 : 3)) continue;
    ++(is_right ? right : wrong);
    kept.push_back({outcome.set, outcome.problem, outcome.text, outcome.final_answer().value_or(""), outcome.error_label,
                    outcome.verdict(grader), group.size, std::ssize(samples), "", ""});
  }
}

// By number; throws Error for two of one.
void sort_samples(Samples& samples) {
  std::sort(samples.begin(), samples.end(), [](const Outcome* a, const Outcome* b) { return a->sample < b->sample; });
  for (size_t i = 1; i < samples.size(); ++i) {
    if (samples[i]->sample != samples[i - 1]->sample) continue;
    throw Error("{}, {}: expected one outcome of sample {}, found two", samples[i]->set, samples[i]->problem,
                samples[i]->sample);
  }
}

std::string resolve(const std::string& folder, const std::string& path) {
  if (path.empty()) return "";
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

// The message with the path as experiment.json has it, so that what is written does not depend on where the folder lies.
std::string with_relative(std::string message, const std::string& path, const std::string& relative) {
  if (message.starts_with(path)) message.replace(0, path.size(), relative);
  return message;
}

// The problems of the responses kept for reading, where the outcomes' folder has them.
void add_problems(const std::string& outcomes, std::vector<SampleText>& samples) {
  const auto path = std::filesystem::path(outcomes).replace_filename(kProblemFileName);
  if (samples.empty() || !std::filesystem::exists(path)) return;
  const auto problems = read_problems(path.string());
  for (SampleText& sample : samples) {
    const auto found = problems.find({sample.set, sample.problem});
    if (found == problems.end()) continue;
    sample.problem_text = found->second.text;
    sample.right_answer = found->second.answer;
  }
}

int64_t samples_of(const ExperimentRecord& record, const SeedRecord& seed) { return seed.n > 0 ? seed.n : record.n; }

// What is read once for all seeds: the base model's evaluation, by its path.
using BaseCounts = std::map<std::string, std::map<std::string, SetCounts>>;

// The evaluations after some steps of the training; one that cannot be read leaves a warning.
void read_checkpoints(const ExperimentRecord& record, const std::string& folder, const SeedRecord& seed, SeedResults& results,
                      BaseCounts& bases, std::vector<std::string>& warnings) {
  for (const auto& [step, relative] : seed.checkpoints) {
    if (relative == seed.outcomes) {  // the last step
      results.checkpoints[step] = results.counts.sets;
      continue;
    }
    if (step == 0 && bases.contains(relative)) {
      results.checkpoints[step] = bases.at(relative);
      continue;
    }
    const std::string path = resolve(folder, relative);
    try {
      const OutcomeFile file = read_outcomes(path);
      const int64_t n = step == 0 ? record.n : samples_of(record, seed);
      results.checkpoints[step] = with_context(path, [&] { return count_outcomes(file, {record.grader, n, 0}).sets; });
      if (step == 0) bases[relative] = results.checkpoints[step];
    } catch (const Error& error) {
      warnings.push_back(with_relative(error.what(), path, relative));
    }
  }
}

std::optional<SeedResults> read_seed(const ExperimentRecord& record, const std::string& folder, const SeedRecord& seed,
                                     int64_t read_problems, BaseCounts& bases, std::vector<std::string>& warnings) {
  SeedResults results = recorded_results(seed);
  results.config_path = resolve(folder, seed.config);
  results.timing_path = resolve(folder, seed.timing);
  const std::string path = resolve(folder, seed.outcomes);
  try {
    const OutcomeFile file = read_outcomes(path);
    results.counts = with_context(path, [&] {
      return count_outcomes(file, {record.grader, samples_of(record, seed), read_problems});
    });
    for (const std::string& set : record.sets) {
      if (!results.counts.sets.contains(set)) throw Error("{}: expected outcomes of the set {}, found none", path, set);
    }
    add_problems(path, results.counts.samples);
  } catch (const Error& error) {
    warnings.push_back(with_relative(error.what(), path, seed.outcomes));
    return std::nullopt;
  }
  read_checkpoints(record, folder, seed, results, bases, warnings);
  if (!seed.metrics.empty()) {
    const std::string metrics = resolve(folder, seed.metrics);
    try {
      results.curves = read_training_curves(metrics);
    } catch (const Error& error) {
      warnings.push_back(with_relative(error.what(), metrics, seed.metrics));
    }
  }
  return results;
}

RowResults read_row(const ExperimentRecord& record, const std::string& folder, const RowRecord& row, int64_t read_problems,
                    BaseCounts& bases, std::vector<std::string>& warnings) {
  RowResults results;
  results.record = row;
  for (const SeedRecord& seed : row.records) {
    if (!seed.failed.empty()) {
      results.failures.push_back(fmt::format("{}, seed {}: {}", row.shown(), seed.seed, seed.failed));
    } else if (auto read = read_seed(record, folder, seed, read_problems, bases, warnings)) {
      results.seeds.push_back(std::move(*read));
      read_problems = 0;
    } else {
      results.failures.push_back(fmt::format("{}, seed {}: {}", row.shown(), seed.seed, warnings.back()));
    }
  }
  std::sort(results.seeds.begin(), results.seeds.end(),
            [](const SeedResults& a, const SeedResults& b) { return a.seed < b.seed; });
  return results;
}

// Share of right responses sampled in training, mean of the last kLateSteps steps.
std::optional<double> late_pass_rate(const TrainingCurves& curves) {
  constexpr size_t kLateSteps = 5;
  auto found = curves.find("rollout_pass_rate");
  if (found == curves.end()) found = curves.find("train_pass_rate");  // its name up to version 0.1.0
  if (found == curves.end() || found->second.empty()) return std::nullopt;
  double sum = 0;
  size_t steps = 0;
  for (auto step = found->second.rbegin(); step != found->second.rend() && steps < kLateSteps; ++step, ++steps)
    sum += step->second;
  return sum / static_cast<double>(steps);
}

}  // namespace

OutcomeCounts count_outcomes(const OutcomeFile& file, const CountSettings& settings) {
  OutcomeCounts results;
  results.main_grader = settings.grader.empty() ? file.main_grader : settings.grader;
  std::map<std::pair<std::string, std::string>, Samples> problems;  // by set and id
  std::set<std::string> graders;
  for (const Outcome& outcome : file.outcomes) {
    for (const auto& [grader, verdict] : outcome.verdicts) graders.insert(grader);
    if (outcome.sample < settings.n) problems[{outcome.set, outcome.problem}].push_back(&outcome);
  }
  results.graders.assign(graders.begin(), graders.end());
  std::map<std::string, int64_t> kept;
  for (auto& [key, samples] : problems) {
    const auto& [set, problem] = key;
    sort_samples(samples);
    ProblemCounts& counts = results.sets[set][problem] = count_problem(samples, results.main_grader);
    if (file.sets_without_answers.contains(set)) {
      counts.answers_known = false;
      counts.votes = {};
    }
    for (const Outcome* outcome : samples) {
      results.tokens += outcome->tokens;
      for (const auto& [grader, verdict] : outcome->verdicts) {
        if (grader == results.main_grader) continue;
        results.disagreements[grader] += (verdict == Correctness::right) != outcome->correct(results.main_grader) ? 1 : 0;
      }
    }
    results.responses += counts.n;
    const bool mixed = counts.right > 0 && counts.right < counts.n;
    if (mixed && kept[set] < settings.read_problems) {
      ++kept[set];
      keep_samples(samples, results.main_grader, results.samples);
    }
  }
  return results;
}

bool RowResults::trained() const {
  return std::any_of(record.records.begin(), record.records.end(),
                     [](const SeedRecord& seed) { return !seed.budget || seed.budget->updates > 0 || !seed.metrics.empty(); });
}

const RowResults* ExperimentResults::find(const std::string& base_model, const std::string& name) const {
  for (const RowResults& row : rows) {
    if (row.record.base_model == base_model && row.record.name == name) return &row;
  }
  return nullptr;
}

const RowResults* ExperimentResults::base_of(const RowResults& row) const {
  return row.record.compare_to.empty() ? nullptr : find(row.record.base_model, row.record.compare_to);
}

ExperimentResults read_results(const std::string& folder, int64_t read_problems) {
  ExperimentResults results;
  results.folder = folder;
  results.record = read_experiment_record(folder);
  BaseCounts bases;
  for (const RowRecord& row : results.record.rows) {
    results.rows.push_back(read_row(results.record, folder, row, read_problems, bases, results.warnings));
  }
  return results;
}

SeedResults recorded_results(const SeedRecord& seed) {
  SeedResults results;
  results.seed = seed.seed;
  results.n = seed.n;
  results.budget = seed.budget;
  results.train_pass_rate = seed.train_pass_rate;
  return results;
}

SeedTable seed_table(const RowResults& row, const std::string& set, const Quantity& quantity) {
  SeedCounts counts;
  for (const SeedResults& seed : row.seeds) {
    if (seed.n > 0 && quantity.depends_on_n()) continue;
    if (const auto found = seed.counts.sets.find(set); found != seed.counts.sets.end()) counts[seed.seed] = &found->second;
  }
  return seed_tables(counts, std::vector<Quantity>{quantity}).front();
}

std::optional<double> seed_value(const RowResults& row, const SeedResults& seed, Quantity::Kind kind) {
  if (kind == Quantity::Kind::train_pass_rate) return seed.train_pass_rate;
  if (kind == Quantity::Kind::rollout_pass_rate) return late_pass_rate(seed.curves);
  if (!row.trained() || !seed.budget) return std::nullopt;
  switch (kind) {
    case Quantity::Kind::tokens_generated:
      return static_cast<double>(seed.budget->tokens_generated);
    case Quantity::Kind::responses_generated:
      return static_cast<double>(seed.budget->responses_generated);
    case Quantity::Kind::responses_kept:
      return static_cast<double>(seed.budget->responses_kept);
    case Quantity::Kind::updates:
      return static_cast<double>(seed.budget->updates);
    case Quantity::Kind::visits_per_problem:
      return seed.budget->visits_per_problem;
    default:
      return std::nullopt;
  }
}

}  // namespace harness
