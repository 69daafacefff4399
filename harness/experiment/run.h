// Running an experiment: base models, trainings and evaluations as a sweep of jobs, then its tables; what is done stays done.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/experiment/experiment.h"
#include "harness/report/report_folder.h"
#include "harness/sweep/status.h"
#include "harness/sweep/sweep.h"

namespace harness {

struct RunOptions {
  std::string file;
  ExperimentOptions experiment;
  bool slurm = false;
  bool amend = false;  // a rule changed after its first look is written down instead of refused
};

struct RunReport {
  Experiment experiment;
  SweepResult sweep;
  ReportDone report;
  std::vector<std::string> rates;  // a line a training: what it did a second (jobs/rates.h)
  // Whether every job of the experiment is done and every row has all its seeds in the table. A row may lack one although its
  // jobs are done: outcomes that cannot be read.
  bool whole = false;
};

// Runs what is missing and writes the results. Progress goes to stderr. `check` is asked before anything starts, and again once
// models were made, and throws where nothing is to be begun (check/check_experiment.h). Jobs that fail do not stop the others
// and are told on stderr.
RunReport run_experiment(const RunOptions& options, const Program& program,
                         const std::function<void(const Experiment&)>& check);

// Where each job stands.
std::string status_of(const Experiment& experiment);

// Removes of finished trainings the checkpoints and the models of steps that are evaluated; returns their size in bytes.
uintmax_t remove_checkpoints(const Experiment& experiment);

// `path` is an experiment file, or a folder of runs, which remembers its file. Throws Error for a folder that does not.
std::string experiment_file_of(const std::string& path);

}  // namespace harness
