#include "harness/sweep/sweep.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

#include "harness/core/error.h"
#include "harness/sweep/display.h"
#include "harness/sweep/failure.h"
#include "harness/sweep/job_lock.h"
#include "harness/sweep/progress.h"

namespace harness {

namespace {

constexpr int kPollMilliseconds = 200;
constexpr std::ptrdiff_t kMostThreads = 4;  // of a job alone: small models gain little from more

// The state of one sweep while it runs.
class Scheduler {
 public:
  Scheduler(const std::vector<Job>& jobs, const SweepSettings& settings, const std::function<bool(const Job&)>& is_done)
      : jobs_(jobs),
        settings_(settings),
        is_done_(is_done),
        earlier_(waits_for(jobs)),
        queue_(queue_order(jobs)),
        slots_(static_cast<size_t>(std::max<int64_t>(1, settings.workers))),
        seen_elsewhere_(jobs.size(), false),
        display_(jobs, settings) {
    for (const Job& job : jobs) result_.jobs.push_back({job.id, JobState::waiting, false, {}, ""});
  }

  SweepResult run() {
    const double started = now_seconds();
    while (open_jobs() > 0) {
      collect();
      if (interrupt_requested()) stop();
      block_what_cannot_run();
      start_what_can();
      display_.refresh(result_);
      wait();
    }
    display_.finish();
    result_.wall_seconds = now_seconds() - started;
    return result_;
  }

 private:
  struct Slot {
    size_t job = 0;
    std::unique_ptr<Worker> worker;
  };

  [[nodiscard]] int64_t open_jobs() const { return result_.count(JobState::waiting) + result_.count(JobState::running); }
  JobState& state(size_t job) { return result_.jobs[job].state; }
  [[nodiscard]] bool all_earlier(size_t job, JobState wanted) {
    return std::all_of(earlier_[job].begin(), earlier_[job].end(), [&](size_t other) { return state(other) == wanted; });
  }
  [[nodiscard]] std::string log_of(const Job& job) const {
    if (settings_.log_folder.empty()) return job.folder + "/log.txt";
    std::string name = job.id;
    std::replace(name.begin(), name.end(), '/', '_');
    return settings_.log_folder + "/" + name + ".txt";
  }

  // Workers that have ended.
  void collect() {
    for (Slot& slot : slots_) {
      if (!slot.worker || !slot.worker->poll()) continue;
      const Job& job = jobs_[slot.job];
      JobResult& result = result_.jobs[slot.job];
      result.end = slot.worker->end();
      const bool done = is_done_(job);  // also where it was killed, or broke, after its results were whole
      if (done) {
        result.state = JobState::done;
      } else {
        fail(slot.job, result.end.status == 0 ? "ended with status 0 but left no finished results" : "");
      }
      slot.worker.reset();  // frees the lock only now, with failed.json written
      if (!done && interrupt_requested()) {
        display_.say(fmt::format("{}: stopped", job.id));
      } else {
        display_.ended(job, result);
      }
    }
  }

  void fail(size_t index, const std::string& reason) {
    const Job& job = jobs_[index];
    JobResult& result = result_.jobs[index];
    result.state = JobState::failed;
    const Failure failure = reason.empty() ? failure_of(log_of(job), result.end.status) : Failure{result.end.status, reason};
    result.log_tail = failure.lines;
    if (interrupt_requested()) return;  // stopped, not broken
    try {
      write_failure(job.folder, failure);
    } catch (const Error& error) {
      result.log_tail += fmt::format("\n{}", error.what());  // a full disk may be why it failed
    }
  }

  void block_what_cannot_run() {
    for (const size_t job : queue_) {
      if (state(job) != JobState::waiting) continue;
      const bool blocked = std::any_of(earlier_[job].begin(), earlier_[job].end(), [&](size_t other) {
        return state(other) == JobState::failed || state(other) == JobState::blocked;
      });
      if (!blocked) continue;
      state(job) = JobState::blocked;
      display_.ended(jobs_[job], result_.jobs[job]);
    }
  }

  void start_what_can() {
    for (const size_t job : queue_) {
      const bool locked_by_others = state(job) == JobState::running && !result_.jobs[job].ran_here;
      if (state(job) != JobState::waiting && !locked_by_others) continue;
      if (!all_earlier(job, JobState::done)) continue;
      const auto slot = std::find_if(slots_.begin(), slots_.end(), [](const Slot& one) { return !one.worker; });
      // Without a free slot a job may still turn out to be done already.
      visit(job, slot == slots_.end() ? nullptr : &*slot);
    }
  }

  // Looks at a job whose turn it is: done, somebody else's, or ours to run.
  void visit(size_t index, Slot* slot) {
    const Job& job = jobs_[index];
    JobResult& result = result_.jobs[index];
    try {
      if (is_done_(job)) return finish_unworked(index);
      if (slot == nullptr) return;
      std::optional<JobLock> lock = JobLock::try_take(job.folder);
      if (!lock) {
        if (!seen_elsewhere_[index]) display_.say(fmt::format("{}: worked on by another process", job.id));
        seen_elsewhere_[index] = true;
        result.state = JobState::running;
        return;
      }
      if (is_done_(job)) return finish_unworked(index);  // its last holder may have finished it meanwhile
      if (const auto failure = read_failure(job.folder); failure && seen_elsewhere_[index]) {
        result.state = JobState::failed;  // by the process that had it
        result.end.status = failure->status;
        result.log_tail = failure->lines;
        return display_.ended(job, result);
      }
      std::filesystem::remove(job.folder + "/failed.json");
      start(index, *slot, std::move(*lock));
    } catch (const std::filesystem::filesystem_error& error) {
      fail(index, error.what());
      display_.ended(job, result);
    } catch (const Error& error) {
      fail(index, error.what());
      display_.ended(job, result);
    }
  }

  void finish_unworked(size_t index) {
    state(index) = JobState::done;
    if (seen_elsewhere_[index]) display_.ended(jobs_[index], result_.jobs[index]);
  }

  void start(size_t index, Slot& slot, JobLock lock) {
    const Job& job = jobs_[index];
    WorkerCommand command{settings_.program, job.arguments, settings_.environment, log_of(job)};
    if (!settings_.slots.empty()) {
      const auto number = static_cast<size_t>(&slot - slots_.data());
      for (const auto& [name, value] : settings_.slots[number % settings_.slots.size()]) command.environment[name] = value;
    }
    if (job.takes_idle_workers && alone(index)) {
      command.environment[kThreadsVariable] = std::to_string(std::min(std::ssize(slots_), kMostThreads));
    }
    slot.job = index;
    slot.worker = std::make_unique<Worker>(command, std::move(lock));
    result_.jobs[index].state = JobState::running;
    result_.jobs[index].ran_here = true;
    display_.started(job);
  }

  // No other job runs or could run beside it.
  bool alone(size_t index) {
    for (size_t job = 0; job < jobs_.size(); ++job) {
      if (job == index) continue;
      if (state(job) == JobState::running || (state(job) == JobState::waiting && all_earlier(job, JobState::done)))
        return false;
    }
    return true;
  }

  // Until a worker ends, a moment has passed, or a signal comes.
  void wait() {
    std::vector<pollfd> ends;
    bool free_slot = false;
    for (const Slot& slot : slots_) {
      free_slot |= !slot.worker;
      if (slot.worker && slot.worker->end_descriptor() >= 0) ends.push_back({slot.worker->end_descriptor(), POLLIN, 0});
    }
    if (open_jobs() == 0 || (ends.empty() && startable())) return;
    ::poll(ends.data(), ends.size(), kPollMilliseconds);
  }

  // A job that became free to run in this very round (its last predecessor turned out to be done already).
  [[nodiscard]] bool startable() {
    for (const size_t job : queue_) {
      if (state(job) == JobState::waiting && all_earlier(job, JobState::done)) return true;
    }
    return false;
  }

  [[noreturn]] void stop() {
    display_.say("stopping: waiting for the workers to save what they have");
    for (const Slot& slot : slots_) {
      if (slot.worker) slot.worker->signal(SIGINT);
    }
    while (std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.worker != nullptr; })) {
      collect();
      wait();
    }
    display_.finish();
    throw Interrupted();
  }

  const std::vector<Job>& jobs_;
  const SweepSettings& settings_;
  const std::function<bool(const Job&)>& is_done_;
  std::vector<std::vector<size_t>> earlier_;
  std::vector<size_t> queue_;
  std::vector<Slot> slots_;
  std::vector<bool> seen_elsewhere_;
  SweepResult result_;
  SweepDisplay display_;
};

}  // namespace

const char* to_string(JobState state) {
  switch (state) {
    case JobState::waiting:
      return "waiting";
    case JobState::running:
      return "running";
    case JobState::done:
      return "done";
    case JobState::failed:
      return "failed";
    case JobState::blocked:
      return "blocked: a cell it waits for failed";
  }
  return "";
}

int64_t SweepResult::count(JobState state) const {
  return std::count_if(jobs.begin(), jobs.end(), [&](const JobResult& job) { return job.state == state; });
}

bool SweepResult::ok() const { return count(JobState::done) == static_cast<int64_t>(jobs.size()); }

SweepResult run_jobs(const std::vector<Job>& jobs, const SweepSettings& settings,
                     const std::function<bool(const Job&)>& is_done) {
  return Scheduler(jobs, settings, is_done).run();
}

}  // namespace harness
