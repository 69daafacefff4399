// Slurm: the same jobs as array jobs, one array for each level of the waiting order, each waiting for the one before.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/sweep/sweep.h"

namespace harness {

struct SlurmSettings {
  std::string folder;                // where the scripts are written, on a file system that all nodes see
  std::string program;               // of the workers, absolute
  std::string name = "medsbench";    // of the jobs
  int64_t workers = 0;               // array tasks at once (sbatch --array=...%N); 0: as many as Slurm gives
  std::vector<std::string> options;  // further options of sbatch, such as --partition=gpu or --gres=gpu:1
  std::map<std::string, std::string> environment;
  std::string done_file = "done.json";  // what a finished job's folder holds; tasks look for it in those they wait for
  double poll_seconds = 5;
  std::ostream* out = nullptr;  // null: std::cerr
};

// One array job: jobs whose predecessors lie in earlier stages.
struct SlurmStage {
  std::vector<size_t> jobs;
  std::string script;  // text of the sbatch script; task i works on jobs[i]
};

// The jobs that `is_done` does not find finished, by level. Each task holds the lock of its folder as a local worker would,
// leaves at once where a job it waits for has no done file, and appends to FOLDER/log.txt.
std::vector<SlurmStage> slurm_stages(const std::vector<Job>& jobs, const SlurmSettings& settings,
                                     const std::function<bool(const Job&)>& is_done);

// Submits the stages (sbatch --dependency=afterany:...), waits until squeue knows none of them, and collects. Ctrl-C cancels
// the jobs (scancel sends SIGTERM, on which workers save what they have) and throws Interrupted. Throws Error where sbatch,
// squeue or scancel is missing or refuses.
SweepResult run_jobs_on_slurm(const std::vector<Job>& jobs, const SlurmSettings& settings,
                              const std::function<bool(const Job&)>& is_done);

}  // namespace harness
