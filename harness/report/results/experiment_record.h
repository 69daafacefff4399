// ExperimentRecord: experiment.json of a results folder, what was run and where its outcomes lie; tables follow from it alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/verdicts/condition.h"
#include "harness/verdicts/seed_rule.h"

namespace harness {

inline constexpr int64_t kExperimentRecordVersion = 1;

// What one training spent. All 0 for an untrained base model.
struct Budget {
  int64_t tokens_generated = 0;     // kept and dropped
  int64_t responses_generated = 0;  // kept and dropped
  int64_t responses_kept = 0;
  int64_t updates = 0;            // optimiser steps
  double visits_per_problem = 0;  // mean over the training problems
};

// One (row, seed): a trained policy and its evaluation. Paths are relative to the folder of experiment.json.
struct SeedRecord {
  int64_t seed = 0;                            // training seed; 0 for an untrained base model
  int64_t n = 0;                               // samples a problem where fewer than the table's (run.other_n); 0: the table's
  std::vector<std::string> sets;               // problem sets in the outcome file
  std::string outcomes;                        // outcomes.jsonl.zst
  std::string metrics;                         // metrics.jsonl of the training, "" where nothing was trained
  std::string config;                          // effective config.toml, "" if none
  std::string timing;                          // timing.json, "" if none; shown in the HTML page only, never in a table
  std::optional<Budget> budget = Budget{};     // none: not known (trained elsewhere)
  std::optional<double> train_pass_rate;       // of the evaluation on the training problems (eval.train_samples); absent: none
  std::map<int64_t, std::string> checkpoints;  // outcomes of the policy after a step (eval.checkpoints); 0: of the base model
  std::string failed;                          // reason; "": not failed
};

struct RowRecord {
  std::string name;                 // unique with its base model; what compare_to names
  std::string label;                // as shown; "": the name
  std::string base_model;           // rows are grouped by it
  std::string compare_to;           // row of the same base model; "": none
  std::vector<int64_t> seeds;       // planned; a failed one has a record with `failed`
  std::vector<SeedRecord> records;  // one a seed, "cells" in the file
  [[nodiscard]] const std::string& shown() const { return label.empty() ? name : label; }
};

// What a table's head and footer say of the whole experiment.
struct TableSettings {
  std::string title;
  std::vector<std::string> sets;  // columns, in order
  std::vector<int64_t> k = {1, 128};
  std::vector<double> g_pass;         // thresholds of G-pass@k columns, none by default
  bool maj = false;                   // maj@k columns
  std::vector<double> cover;          // thresholds of Cover@tau columns, none by default
  std::vector<std::string> primary;   // columns whose comparisons are Holm's family, "average pass@1"; {}: all
  SeedRule rule;                      // how many seeds rows get, and what is called equivalent
  std::vector<Condition> conditions;  // what must hold before verdicts on the guarded rows are printed
  std::vector<std::string> guarded;   // names of rows
  std::vector<std::string> amended;   // rules that stood before the present one, each with the look after which it was changed
  int64_t n = 128;                    // samples a problem
  std::optional<uint64_t> eval_seed = 0;  // none: not known, as of the temperature
  std::optional<double> temperature = 1.0;
  std::string grader;  // "": the main grader of the outcome files
  std::string config_hash;
  std::string device = "cpu";  // "": not known
  double scale = 1;            // --scale: what it changed stands in the notes
};

struct ExperimentRecord : TableSettings {
  std::vector<RowRecord> rows;
  std::string commit;
  std::optional<double> largest_log_prob_difference;  // sampling against scoring; 0 in strict mode; absent: not measured
  Json machine = Json::object();                      // name -> text, for the HTML page and manifest.json
  std::vector<std::string> notes;                     // lines of the footer that outcomes alone do not tell
  std::string imported_from;                          // programs that evaluated it; "": this one
  std::string published;                              // TOML with published numbers, "" if none

  // The row of this base model with this name; nullptr if there is none.
  [[nodiscard]] const RowRecord* find(const std::string& base_model, const std::string& name) const;
};

OrderedJson to_json(const ExperimentRecord& record);
// Throws Error for a missing field, a newer version, two rows with one name, a compare_to that names no row, a condition
// on two rows that no base model has.
ExperimentRecord experiment_record_from_json(const Json& json);

// FOLDER/experiment.json.
ExperimentRecord read_experiment_record(const std::string& folder);
void write_experiment_record(const std::string& folder, const ExperimentRecord& record);

}  // namespace harness
