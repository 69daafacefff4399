// Experiment: one TOML file as base models, rows, seeds and the jobs that make them.
//
//   include = "shared.toml"           this file lies over that one (config.h)
//   title = "..."                     seeds = [1, 2]            (also: run.jobs, run.results, run.runs, run.try_*)
//   [models.NAME]                     one base model each
//   pretrain = "nano-qwen3.toml"      made by supervised training (a file beside this one), or
//   path = "models/NAME"              a folder as downloaded, or a hub's name ("ORG/NAME"; base_model.h says where it is looked
//                                     for); `prepare = "script.sh"` makes it where it is not there
//   positions = 9216                  with `path`: positions go on beyond the model's own, rotary frequencies unchanged
//   shape = "FOLDER"                  with `path`: config.json (beside this file) that `plan` reads where the model is absent
//   start = "NAME"                    with `pretrain`: goes on from that other base model (a cold start)
//   [table]                           k = [1, 128], published = "published.toml", g_pass = [0.5] (thresholds of G-pass@k
//                                     columns), maj = true (maj@k columns), cover = [0.05, 0.5] (Cover@tau
//                                     columns)
//   table.primary = ["average pass@1"] the comparisons fixed beforehand: Holm's family (else all of the table)
//   [until]                           rule = "group_sequential", looks = [5, 10, 15, 20], or "anytime", "half_width": rows get
//                                     seeds until the comparisons are decided (harness/verdicts/seed_rule.h)
//   [[conditions]]                    row, against, metric, is, by, name: what must hold before verdicts on the rows of
//                                     table.guarded are printed (harness/report/table/conditions.h)
//   run.whole_seeds = 5               seeds of a row evaluated with eval.n samples, the others with run.other_n = 16
//   run.also = ["other.toml"]         experiments run after this one, each with a table of its own
//   run.slurm = ["--partition=gpu"]   options of sbatch where the jobs go to Slurm
//   [[rows]]                          name, label, compare_to, untrained, seeds, models, regrade_of (the responses of another
//                                     row graded by this row's graders), then any key of a training or evaluation
//   anything else                     the same keys, for every row
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/config.h"
#include "harness/core/json.h"
#include "harness/experiment/file_keys.h"
#include "harness/experiment/jobs/program.h"
#include "harness/experiment/jobs/settings.h"
#include "harness/experiment/scale.h"
#include "harness/report/results/experiment_record.h"
#include "harness/sweep/job.h"

namespace harness {

struct BaseModel {
  std::string name;
  std::string folder;     // of the model itself
  std::string path;       // as the file gives it; "" for a model made here
  std::string prepare;    // script that makes it where it is not there; "": none
  std::string shape;      // folder with its config.json alone; "" if none is given
  std::string place;      // where the file gives it: "FILE: line 5: models.NAME.path"
  int64_t positions = 0;  // > 0: more positions than the model's own; `folder` is made from the model
  std::string job;        // id of the job that makes it; "": it is there
  std::string identity;   // part of the identity of every job that stands on it
};

// One training or evaluation and the config it runs with.
struct PlannedJob {
  Job job;
  Config config;  // as written to FOLDER/cell.toml: the keys that the job reads
  std::string identity;
};

struct PlannedRow {
  std::string name, label, base_model, compare_to;
  bool untrained = false;
  Config::Entries head;                       // name, compare_to, seeds, ... with their places
  std::vector<int64_t> seeds;                 // {0} for an untrained row
  std::map<int64_t, PlannedJob> train, eval;  // by seed; no train where untrained
  // By seed and step, evaluations that eval.checkpoints asks for: that of the last step is `eval`, that of step 0 is one of the
  // base model which rows and seeds share.
  std::map<int64_t, std::map<int64_t, PlannedJob>> checkpoints;
  // Of the first seed: what its training (which an untrained row would run too) and its evaluation were read as, and every key
  // that either reads.
  std::shared_ptr<const TrainJob> train_job;
  std::shared_ptr<const EvalJob> eval_job;
  Config::Entries effective;
};

// Before rows are trained: an evaluation of their base model on a few of their training problems, sampled and graded as the
// training does. No job of the sweep, and no part of the results.
struct BaseTrial {
  PlannedJob job;
  std::string base_model;
  std::vector<std::string> rows;  // that it is a trial for
};

struct Experiment : TableSettings {
  std::string file, results, runs, published;
  Config::Entries head;                          // the keys of the file's head with their places
  std::vector<Config::Entries> condition_heads;  // of each condition the same
  std::vector<BaseModel> models;
  std::vector<PlannedJob> base_jobs;
  std::vector<std::shared_ptr<const PretrainJob>> pretrain_jobs;  // what each of them was read as
  std::vector<PlannedRow> rows;
  std::vector<BaseTrial> trials;  // of base models that are not made here
  TrialSettings trial;
  std::vector<std::vector<ScaledKey>> scaled;  // of each row, what --scale changed
  std::string model_cache;                     // run.models
  int64_t workers = 2;                         // processes at once: run.jobs
  std::vector<std::string> also;               // experiment files run after this one
  std::vector<std::string> slurm;              // further options of sbatch
};

struct ExperimentOptions {
  std::string runs;               // --out; "": runs/NAME
  std::string data_dir;           // --data
  int64_t seeds = 0;              // --seeds; 0: the file's
  int64_t workers = 0;            // --jobs; 0: the file's
  double scale = 1;               // --scale (scale.h); runs and results then lie in folders of their own
  std::vector<std::string> sets;  // --set
};

// Reads the file and plans every job. Throws Error for what the file gets wrong.
Experiment read_experiment(const std::string& file, const ExperimentOptions& options, const Program& program);

// Whether the file has [[rows]]; one without is a single training or evaluation.
bool is_experiment(const std::string& file);

// The effective keys of the row named (""; the first). A file without rows is one row of its own.
Config::Entries effective_row(const std::string& file, const std::string& row, const ExperimentOptions& options,
                              const Program& program);

// All jobs of the sweep, each once: base models, trainings, evaluations.
std::vector<const PlannedJob*> all_jobs(const Experiment& experiment);
// Whether a training of a row that the trial is for is still to be done.
bool is_wanted(const BaseTrial& trial, const Experiment& experiment);
// The jobs of the sweep after the trials that are wanted or done: all that `run` starts.
std::vector<const PlannedJob*> trials_and_jobs(const Experiment& experiment);
// What a job came to (done.json), where its folder holds a result of this very configuration. Throws Error for a done.json that
// cannot be read.
std::optional<Json> result_of(const PlannedJob& job);
// The same; none where done.json cannot be read.
std::optional<Json> readable_result_of(const PlannedJob& job);
inline bool job_done(const PlannedJob& job) { return result_of(job).has_value(); }

}  // namespace harness
