// Where each job of a sweep stands, read from the jobs' folders; no sweep need be running.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/sweep/sweep.h"

namespace harness {

struct JobStatus {
  std::string id;
  JobState state = JobState::waiting;
  std::string note;  // progress of a running job, last lines of a failed one, what a waiting one got to before
};

// In the order given: failed.json, a held lock and progress.json tell the state; what waits for something failed is blocked.
std::vector<JobStatus> sweep_status(const std::vector<Job>& jobs, const std::function<bool(const Job&)>& is_done);
// A line a job, then the counts.
std::string status_table(const std::vector<JobStatus>& status);

}  // namespace harness
