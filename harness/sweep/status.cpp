#include "harness/sweep/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/sweep/failure.h"
#include "harness/sweep/job_lock.h"
#include "harness/sweep/progress.h"

namespace harness {

namespace {

JobStatus status_of(const Job& job, const std::function<bool(const Job&)>& is_done) {
  JobStatus status{job.id, JobState::waiting, ""};
  if (is_done(job)) {
    status.state = JobState::done;
    return status;
  }
  if (const auto progress = read_progress(job.folder)) status.note = describe(*progress);
  if (JobLock::is_taken(job.folder)) {
    status.state = JobState::running;
  } else if (const auto failure = read_failure(job.folder)) {
    status.state = JobState::failed;
    status.note = failure_reason(*failure);
  } else if (!status.note.empty()) {
    status.note = "stopped at " + status.note;
  }
  return status;
}

}  // namespace

std::vector<JobStatus> sweep_status(const std::vector<Job>& jobs, const std::function<bool(const Job&)>& is_done) {
  std::vector<JobStatus> status;
  status.reserve(jobs.size());
  for (const Job& job : jobs) status.push_back(status_of(job, is_done));
  const auto earlier = waits_for(jobs);
  // Jobs are few: repeat until the failures have reached everyone behind them.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (status[i].state != JobState::waiting) continue;
      changed |= std::any_of(earlier[i].begin(), earlier[i].end(), [&](size_t other) {
        if (status[other].state != JobState::failed && status[other].state != JobState::blocked) return false;
        status[i].state = JobState::blocked;
        return true;
      });
    }
  }
  return status;
}

std::string status_table(const std::vector<JobStatus>& status) {
  size_t width = 4;
  for (const JobStatus& job : status) width = std::max(width, job.id.size());
  std::string text = fmt::format("{:<{}}  {:<8}  {}\n", "cell", width, "state", "progress");
  std::map<JobState, int64_t> counts;
  for (const JobStatus& job : status) {
    ++counts[job.state];
    std::string note = job.note;
    std::replace(note.begin(), note.end(), '\n', ' ');
    const std::string name = job.state == JobState::blocked ? "blocked" : to_string(job.state);
    text += note.empty() ? fmt::format("{:<{}}  {}\n", job.id, width, name)
                         : fmt::format("{:<{}}  {:<8}  {}\n", job.id, width, name, note);
  }
  text +=
      fmt::format("{} done, {} running, {} waiting, {} failed, {} blocked\n", counts[JobState::done], counts[JobState::running],
                  counts[JobState::waiting], counts[JobState::failed], counts[JobState::blocked]);
  return text;
}

}  // namespace harness
