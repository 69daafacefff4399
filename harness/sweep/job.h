// Job: one piece of work of a sweep, done by a worker process of its own in a folder of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace harness {

struct Job {
  std::string id;                      // unique in the sweep, e.g. "nano/meds/seed1"
  std::string kind;                    // "base", "train" or "eval"
  std::vector<std::string> arguments;  // of the program: {"train", "FILE", ...}
  std::string folder;                  // where it writes: lock, progress.json, log.txt, failed.json beside its results
  std::vector<std::string> after;      // ids of jobs that must be done first
  int64_t priority = 0;                // larger first; among equals the job that the longest chain of others waits for
  bool takes_idle_workers = false;     // computes the same on more threads: see kThreadsVariable
};

// In the environment of such a job that starts while nothing else can run beside it: the number of workers, at most 4, whose
// processors would stand idle otherwise.
inline constexpr const char* kThreadsVariable = "MEDSBENCH_THREADS";

// The jobs' indices in the order in which a free worker should take them: priority, then length of the longest chain of jobs
// that wait for it, then the order given. Throws Error for an id given twice, an unknown one in `after`, or a circle.
std::vector<size_t> queue_order(const std::vector<Job>& jobs);

// For each job the indices of the jobs it waits for.
std::vector<std::vector<size_t>> waits_for(const std::vector<Job>& jobs);

}  // namespace harness
