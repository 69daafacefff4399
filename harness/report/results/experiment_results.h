// ExperimentResults: a results folder's stored outcomes, counted; all that tables, figures and pages are made from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/report/results/experiment_file.h"
#include "harness/report/results/problem_results.h"
#include "harness/report/results/training_curves.h"

namespace harness {

struct CellResults {
  int64_t seed = 0;
  PolicyResults policy;
  Budget budget;
  std::optional<double> train_pass_rate;
  TrainingCurves curves;
  std::string config_path, timing_path;  // absolute or relative to the working folder; "" if none
};

struct RowResults {
  ManifestRow row;
  std::vector<CellResults> cells;      // those that did not fail, by seed
  std::vector<std::string> failures;   // one line a failed seed
  [[nodiscard]] bool trained() const;  // false for an untrained base model
};

struct ExperimentResults {
  ExperimentManifest manifest;
  std::string folder;
  std::vector<RowResults> rows;
  std::vector<std::string> warnings;  // outcome or metrics files that could not be read, one line each
  [[nodiscard]] const RowResults* find(const std::string& base_model, const std::string& name) const;
};

struct ReadSettings {
  std::string grader;         // "": the experiment's, else the main grader of the files
  int64_t read_problems = 0;  // problems a set whose responses are kept for reading (first seed of each row)
  bool curves = true;         // read metrics.jsonl too
};

// Reads FOLDER/experiment.json and what it names. A cell whose outcomes cannot be read counts as failed and leaves a warning;
// an unreadable experiment.json throws Error.
ExperimentResults read_experiment(const std::string& folder, const ReadSettings& settings = {});

// Per-problem quantities of a table column. Absent where a problem does not define it (pass@k with k > n, no answer at all).
//   pass@K, g_pass@K_TAU, maj@K, distinct_answers, answer_entropy, no_answer, undecided, disagreement, mean_entropy, tokens
std::optional<double> problem_value(const ProblemResult& problem, const std::string& metric);

// One quantity of a row on one set: [seeds, problems] with NaN where a cell has none.
struct ValueTable {
  std::vector<int64_t> seeds;
  std::vector<std::string> problems;  // sorted
  std::vector<double> values;         // [seeds, problems]
  ValueTable(std::vector<int64_t> seeds_of, std::vector<std::string> problems_of);
  double& at(size_t seed, size_t problem) { return values[seed * problems.size() + problem]; }
  [[nodiscard]] double at(size_t seed, size_t problem) const { return values[seed * problems.size() + problem]; }
};
ValueTable value_table(const RowResults& row, const std::string& set, const std::string& metric);

// What two rows are compared on: method - base for each (seed, problem) that both have. A base row of one untrained policy
// (seed 0) stands against every seed.
ValueTable paired_difference(const ValueTable& row, const ValueTable& base);

// problem,n,correct lines: base_model,row,seed,set,problem,n,correct. The counts that pass@k is made of.
std::string counts_csv(const ExperimentResults& results);

}  // namespace harness
