// Sweep: works a list of jobs off with worker processes; what is done stays done, what fails does not stop the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "harness/sweep/job.h"
#include "harness/sweep/worker.h"

namespace harness {

struct SweepSettings {
  int64_t workers = 1;                             // worker processes at once
  std::string program;                             // of the workers
  std::string log_folder;                          // "": each log in its job's folder as log.txt; else LOG_FOLDER/ID.txt
  std::map<std::string, std::string> environment;  // for every worker, e.g. OMP_NUM_THREADS
  std::vector<std::map<std::string, std::string>>
      slots;                    // for the worker of slot i % size, e.g. CUDA_VISIBLE_DEVICES; may be empty
  bool live = false;            // a view that redraws itself, for terminals
  double line_seconds = 15;     // else: how often a line says how far each job is
  std::ostream* out = nullptr;  // where the view goes; null: std::cerr
};

// blocked: it waits for one that failed.
enum class JobState { waiting, running, done, failed, blocked };
const char* to_string(JobState state);

struct JobResult {
  std::string id;
  JobState state = JobState::waiting;
  bool ran_here = false;  // by a worker of this process
  WorkerEnd end;          // of that worker
  std::string log_tail;   // last lines of a failed job's log
};

struct SweepResult {
  std::vector<JobResult> jobs;  // in the order given
  double wall_seconds = 0;
  [[nodiscard]] bool ok() const;  // every job is done
  [[nodiscard]] int64_t count(JobState state) const;
};

// Runs every job that `is_done` does not find finished (FOLDER/done.json with the identity wanted, as a rule), jobs that
// others wait for first. Several processes on the same folders share the work: a job locked by another is waited for, and
// `is_done` is asked again once the lock is had, so that no job is done twice and none is lost. A job whose worker ends
// without `is_done` holding afterwards has failed, whatever its status: FOLDER/failed.json keeps its last lines, and the
// jobs after it are blocked. Ctrl-C: SIGINT goes to the workers, they are waited for, then Interrupted is thrown.
SweepResult run_jobs(const std::vector<Job>& jobs, const SweepSettings& settings,
                     const std::function<bool(const Job&)>& is_done);

}  // namespace harness
