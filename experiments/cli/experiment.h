// Experiment: one TOML file as base models, rows, seeds and the cells that make them.
//
//   title = "..."                     seeds = [1, 2]            (also: run.jobs, run.results, run.runs)
//   [models.NAME]                     one base model each
//   pretrain = "nano-qwen3.toml"      made by supervised training (a file beside this one), or
//   path = "models/NAME"              a folder as downloaded, or a hub's name ("ORG/NAME"; base_model.h says where it is looked
//                                     for); `prepare = "script.sh"` makes it where it is not there
//   positions = 9216                  with `path`: positions go on beyond the model's own, rotary frequencies unchanged
//   shape = "FOLDER"                  with `path`: config.json (beside this file) that `plan` reads where the model is not
//   there start = "NAME"                    with `pretrain`: goes on from that other base model (a cold start) [table] k = [1,
//   128], published = "published.toml", g_pass = [0.5] (thresholds of G-pass@k
//                                     columns), maj = true (maj@k columns)
//   table.primary = ["average pass@1"] the comparisons fixed beforehand: Holm's family (else all of the table)
//   run.also = ["other.toml"]         experiments run after this one, each with a table of its own
//   run.slurm = ["--partition=gpu"]   options of sbatch where the cells go to Slurm
//   [[rows]]                          name, label, compare_to, untrained, seeds, models, regrade_of (the responses of another
//                                     row graded by this row's graders), then any key of a training or evaluation
//   anything else                     the same keys, for every row
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/cli/scale.h"
#include "harness/core/config.h"
#include "harness/report/results/experiment_record.h"
#include "harness/sweep/cell.h"

namespace experiments {

struct BaseModel {
  std::string name;
  std::string folder;     // of the model itself
  std::string path;       // as the file gives it; "" for a model made here
  std::string shape;      // folder with its config.json alone; "" if none is given
  int64_t positions = 0;  // > 0: more positions than the model's own; `folder` is made from the model
  std::string cell;       // id of the cell that makes it; "": it is there
  std::string identity;   // part of the identity of every cell that stands on it
};

// One training or evaluation and the config it runs with.
struct PlannedCell {
  harness::Cell cell;
  harness::Config config;  // as written to FOLDER/cell.toml
  std::string identity;
};

struct PlannedRow {
  std::string name, label, base_model, compare_to;
  bool untrained = false;
  std::vector<int64_t> seeds;                  // {0} for an untrained row
  std::map<int64_t, PlannedCell> train, eval;  // by seed; no train where untrained
  harness::Config config;                      // effective, of the first seed
};

struct Experiment : harness::TableSettings {
  std::string file, results, runs, published;
  std::vector<BaseModel> models;
  std::vector<PlannedCell> base_cells;
  std::vector<PlannedRow> rows;
  std::vector<std::vector<ScaledKey>> scaled;  // of each row, what --scale changed
  std::string model_cache;                     // run.models
  int64_t jobs = 2;
  std::vector<std::string> also;               // experiment files run after this one
  std::vector<std::string> slurm;              // further options of sbatch
  std::map<std::string, std::string> prepare;  // base model -> script
};

struct ExperimentOptions {
  std::string runs;               // --out; "": runs/NAME
  std::string data_dir;           // --data
  int64_t seeds = 0;              // --seeds; 0: the file's
  int64_t jobs = 0;               // --jobs
  double scale = 1;               // --scale (scale.h); runs and results then lie in folders of their own
  std::vector<std::string> sets;  // --set
};

// Reads the file and plans every cell. Throws Error for what the file gets wrong.
Experiment read_experiment_file(const std::string& file, const ExperimentOptions& options);

// RUNS/models.json: identities by name of the base models that came as folders, so that a deleted one takes no result with it.
std::map<std::string, std::string> remembered_models(const std::string& runs);
void remember_models(const Experiment& experiment);

// All cells of the sweep: base models, trainings, evaluations.
std::vector<const PlannedCell*> all_cells(const Experiment& experiment);
// True where the cell's folder holds a result of this very configuration.
bool cell_done(const PlannedCell& cell);

// A file without rows is one row of its own: its effective config.
harness::Config effective_row(const std::string& file, const std::string& row, const ExperimentOptions& options);

}  // namespace experiments
