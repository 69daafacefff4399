// ExperimentResults: a results folder's stored outcomes, counted; all that tables, figures and pages are made from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/metrics/problem_counts.h"
#include "harness/metrics/quantity.h"
#include "harness/report/results/experiment_record.h"
#include "harness/report/results/training_curves.h"
#include "harness/stats/seed_table.h"

namespace harness {

// A response kept for reading in the HTML page.
struct SampleText {
  std::string set, problem, text, answer, error_label;
  Correctness verdict = Correctness::wrong;
  int64_t group_size = 0;                  // responses to this problem with the same answer
  int64_t samples = 0;                     // all responses to it
  std::string problem_text, right_answer;  // "" where the folder of the outcomes does not have them
};

// One file of stored outcomes, counted.
struct OutcomeCounts {
  std::map<std::string, SetCounts> sets;
  std::vector<SampleText> samples;
  std::vector<std::string> graders;
  std::string main_grader;
  int64_t responses = 0;
  int64_t tokens = 0;                            // of these responses
  std::map<std::string, int64_t> disagreements;  // other grader -> responses that are right by one of it and the main one alone
};

struct CountSettings {
  std::string grader;         // "": the main grader of the file
  int64_t n = 128;            // samples 0 .. n-1 of each problem count, so that diversity is taken at a fixed n
  int64_t read_problems = 0;  // problems a set whose responses are kept for reading
};

// Throws Error for two outcomes of one sample.
OutcomeCounts count_outcomes(const OutcomeFile& file, const CountSettings& settings);

// What one (row, seed) came to.
struct SeedResults {
  int64_t seed = 0;
  int64_t n = 0;  // samples a problem where they are fewer than the table's; 0: the table's
  OutcomeCounts counts;
  std::map<int64_t, std::map<std::string, SetCounts>> checkpoints;  // by step and set, where it was evaluated in between
  std::optional<Budget> budget = Budget{};                          // none: not known
  std::optional<double> train_pass_rate;
  TrainingCurves curves;
  std::string config_path, timing_path;  // absolute or relative to the working folder; "" if none
};

struct RowResults {
  RowRecord record;
  std::vector<SeedResults> seeds;      // those that did not fail, in order
  std::vector<std::string> failures;   // one line a failed seed
  [[nodiscard]] bool trained() const;  // false for an untrained base model
};

struct ExperimentResults {
  ExperimentRecord record;
  std::string folder;
  std::vector<RowResults> rows;
  std::vector<std::string> warnings;  // outcome or metrics files that could not be read, one line each
  // nullptr where there is no such row.
  [[nodiscard]] const RowResults* find(const std::string& base_model, const std::string& name) const;
  // The row that this one names in compare_to; nullptr where it names none.
  [[nodiscard]] const RowResults* base_of(const RowResults& row) const;
};

// Reads FOLDER/experiment.json and what it names. A seed whose outcomes cannot be read counts as failed and leaves a warning;
// an unreadable experiment.json throws Error. `read_problems`: problems a set whose responses are kept for reading, of the
// first seed of each row.
ExperimentResults read_results(const std::string& folder, int64_t read_problems = 0);

// What the record alone says of a seed: no outcomes, no curves.
SeedResults recorded_results(const SeedRecord& seed);

// A quantity of a problem of one row on one set, over the seeds that have the set; one that depends on the number of samples
// over those with the table's alone.
SeedTable seed_table(const RowResults& row, const std::string& set, const Quantity& quantity);
// A quantity of a seed that is no mean over problems: the pass rate of its evaluation on the training problems, that of the
// responses sampled in its last five steps, budgets; absent where the policy was not trained or nothing is known.
std::optional<double> seed_value(const RowResults& row, const SeedResults& seed, Quantity::Kind kind);

}  // namespace harness
