#include "harness/sweep/slurm.h"

#include <poll.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/subprocess.h"
#include "harness/sweep/failure.h"

namespace harness {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Level of each job: 0 waits for nobody, else one more than the highest it waits for; -1 for jobs that are done.
std::vector<int64_t> levels_of(const std::vector<Job>& jobs, const std::vector<bool>& done) {
  const auto earlier = waits_for(jobs);
  std::vector<int64_t> levels(jobs.size(), -1);
  // Jobs are few: as many rounds as there are levels, and `queue_order` has refused circles.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (done[i]) continue;
      int64_t level = 0;
      for (const size_t other : earlier[i]) level = std::max(level, done[other] ? 0 : levels[other] + 1);
      changed |= level != levels[i];
      levels[i] = level;
    }
  }
  return levels;
}

std::string task_of(const Job& job, size_t number, const std::vector<Job>& jobs, const SlurmSettings& settings) {
  std::string text = fmt::format("{})\n", number);
  for (const std::string& id : job.after) {
    const auto other = std::find_if(jobs.begin(), jobs.end(), [&](const Job& one) { return one.id == id; });
    text += fmt::format("  [ -e {} ] || exit 3\n", quoted(other->folder + "/" + settings.done_file));
  }
  // -E: a folder that another process works on is left to it.
  text += fmt::format("  mkdir -p {0} && exec flock -n -E 4 {1} {2}", quoted(job.folder), quoted(job.folder + "/lock"),
                      quoted(settings.program));
  for (const std::string& argument : job.arguments) text += " " + quoted(argument);
  return text + fmt::format(" >> {} 2>&1 < /dev/null\n  ;;\n", quoted(job.folder + "/log.txt"));
}

std::string script_of(const SlurmStage& stage, const std::vector<Job>& jobs, const SlurmSettings& settings) {
  const std::string throttle = settings.workers > 0 ? fmt::format("%{}", settings.workers) : "";
  std::string text = "#!/bin/sh\n";
  text += fmt::format("#SBATCH --job-name={}\n#SBATCH --array=0-{}{}\n", settings.name, stage.jobs.size() - 1, throttle);
  text += "#SBATCH --output=/dev/null\n";
  for (const auto& [name, value] : settings.environment) text += fmt::format("export {}={}\n", name, quoted(value));
  text += "case \"$SLURM_ARRAY_TASK_ID\" in\n";
  for (size_t i = 0; i < stage.jobs.size(); ++i) text += task_of(jobs[stage.jobs[i]], i, jobs, settings);
  return text + "esac\n";
}

// Runs a program of Slurm; its output, or an Error with what it said.
std::string ask_slurm(const std::vector<std::string>& argv) {
  const ProcessResult result = run_process(argv);
  if (result.status != 0) {
    std::string said = result.err.substr(0, result.err.find('\n'));
    throw Error("{}: expected exit status 0, found {}: {}", argv.front(), result.status, said);
  }
  return result.out;
}

class Submission {
 public:
  Submission(const std::vector<Job>& jobs, const SlurmSettings& settings, const std::function<bool(const Job&)>& is_done)
      : jobs_(jobs), settings_(settings), is_done_(is_done), out_(settings.out != nullptr ? *settings.out : std::cerr) {}

  SweepResult run() {
    const double started = now_seconds();
    const std::vector<SlurmStage> stages = slurm_stages(jobs_, settings_, is_done_);
    std::vector<bool> submitted(jobs_.size(), false);
    for (size_t i = 0; i < stages.size(); ++i) {
      submit(stages[i], i);
      for (const size_t job : stages[i].jobs) submitted[job] = true;
    }
    while (!queue_is_empty()) {
      if (interrupt_requested()) cancel();
      report();
      ::poll(nullptr, 0, static_cast<int>(1000 * settings_.poll_seconds));
    }
    SweepResult result = collect(submitted);
    result.wall_seconds = now_seconds() - started;
    return result;
  }

 private:
  void submit(const SlurmStage& stage, size_t number) {
    for (const size_t job : stage.jobs) std::filesystem::remove(jobs_[job].folder + "/failed.json");
    const std::string path = fmt::format("{}/stage{}.sbatch", settings_.folder, number);
    write_file_atomically(path, stage.script);
    std::vector<std::string> argv = {"sbatch", "--parsable"};
    if (!ids_.empty()) argv.push_back("--dependency=afterany:" + ids_.back());
    argv.insert(argv.end(), settings_.options.begin(), settings_.options.end());
    argv.push_back(path);
    std::string id = ask_slurm(argv);
    id = id.substr(0, id.find_first_of(";\n"));  // ID or ID;CLUSTER
    if (id.empty() || !std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
      throw Error("sbatch: expected a job number, found \"{}\"", id);
    }
    out_ << fmt::format("Slurm job {}: {} cells", id, stage.jobs.size()) << std::endl;
    ids_.push_back(id);
  }

  [[nodiscard]] std::string all_ids() const {
    std::string text;
    for (const std::string& id : ids_) text += (text.empty() ? "" : ",") + id;
    return text;
  }

  // squeue refuses numbers that Slurm has already forgotten: all are gone then.
  bool queue_is_empty() {
    if (ids_.empty()) return true;
    const ProcessResult result = run_process({"squeue", "--noheader", "--jobs=" + all_ids()});
    if (result.status == 0) return result.out.find_first_not_of(" \n") == std::string::npos;
    if (result.err.find("Invalid job id") != std::string::npos) return true;
    // The controller may be restarting: asked again, a few times.
    if (++refusals_ > 60) throw Error("squeue: expected an answer, found: {}", result.err.substr(0, result.err.find('\n')));
    return false;
  }

  void report() {
    const auto done = std::count_if(jobs_.begin(), jobs_.end(), is_done_);
    if (done == last_done_) return;
    last_done_ = done;
    out_ << fmt::format("{} of {} cells done", done, jobs_.size()) << std::endl;
  }

  [[noreturn]] void cancel() {
    out_ << "stopping: cancelling the Slurm jobs" << std::endl;
    std::vector<std::string> argv = {"scancel"};
    argv.insert(argv.end(), ids_.begin(), ids_.end());
    run_process(argv);
    while (!queue_is_empty()) ::poll(nullptr, 0, 200);
    throw Interrupted();
  }

  SweepResult collect(const std::vector<bool>& submitted) {
    SweepResult result;
    for (size_t i = 0; i < jobs_.size(); ++i) {
      result.jobs.push_back({jobs_[i].id, is_done_(jobs_[i]) ? JobState::done : JobState::failed, submitted[i], {}, ""});
    }
    const auto earlier = waits_for(jobs_);
    for (const size_t i : queue_order(jobs_)) {
      JobResult& job = result.jobs[i];
      const bool behind = std::any_of(earlier[i].begin(), earlier[i].end(),
                                      [&](size_t other) { return result.jobs[other].state != JobState::done; });
      if (job.state == JobState::done) continue;
      if (behind) job.state = JobState::blocked;
      if (!behind) {
        const Failure failure = failure_of(jobs_[i].folder + "/log.txt", 1);
        job.log_tail = failure.lines;
        write_failure(jobs_[i].folder, failure);
      }
      out_ << fmt::format("{}: {}", job.id, to_string(job.state)) << (behind ? "" : "; its last lines:\n" + job.log_tail)
           << std::endl;
    }
    return result;
  }

  const std::vector<Job>& jobs_;
  const SlurmSettings& settings_;
  const std::function<bool(const Job&)>& is_done_;
  std::ostream& out_;
  std::vector<std::string> ids_;
  int64_t last_done_ = -1;
  int refusals_ = 0;
};

}  // namespace

std::vector<SlurmStage> slurm_stages(const std::vector<Job>& jobs, const SlurmSettings& settings,
                                     const std::function<bool(const Job&)>& is_done) {
  const std::vector<size_t> order = queue_order(jobs);  // refuses circles
  std::vector<bool> done(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) done[i] = is_done(jobs[i]);
  const std::vector<int64_t> levels = levels_of(jobs, done);
  std::vector<SlurmStage> stages;
  for (const size_t i : order) {
    if (levels[i] < 0) continue;
    const auto level = static_cast<size_t>(levels[i]);
    if (stages.size() <= level) stages.resize(level + 1);
    stages[level].jobs.push_back(i);
  }
  for (SlurmStage& stage : stages) stage.script = script_of(stage, jobs, settings);
  return stages;
}

SweepResult run_jobs_on_slurm(const std::vector<Job>& jobs, const SlurmSettings& settings,
                              const std::function<bool(const Job&)>& is_done) {
  for (const char* name : {"sbatch", "squeue", "scancel"}) {
    if (find_program(name).empty()) throw Error("--slurm: expected the program {} in PATH, found none", name);
  }
  make_folder(settings.folder);
  return Submission(jobs, settings, is_done).run();
}

}  // namespace harness
