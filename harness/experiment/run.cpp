#include "harness/experiment/run.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/subprocess.h"
#include "harness/cuda/device.h"
#include "harness/experiment/jobs/folder.h"
#include "harness/experiment/jobs/rates.h"
#include "harness/experiment/models.h"
#include "harness/experiment/record.h"
#include "harness/experiment/seed_looks.h"
#include "harness/experiment/trial.h"
#include "harness/report/table/table_text.h"
#include "harness/sweep/failure.h"
#include "harness/sweep/gpu_slots.h"
#include "harness/sweep/job_lock.h"
#include "harness/sweep/slurm.h"

namespace harness {

namespace fs = std::filesystem;

namespace {

// What an earlier version of the experiment file left in a job's folder is begun anew.
void clear_other_configuration(const PlannedJob& planned) {
  const std::string manifest = planned.job.folder + "/manifest.json";
  if (job_done(planned) || !fs::exists(manifest)) return;
  const Json json = with_context(manifest, [&] { return parse_json(read_file(manifest)); });
  if (json.value("identity", "") == planned.identity) return;
  fmt::print(stderr, "{}: its configuration has changed, begun anew\n", planned.job.id);
  fs::remove_all(planned.job.folder);
}

// cell.toml: what the worker reads. An unchanged file is left alone.
void write_job_file(const PlannedJob& planned) {
  clear_other_configuration(planned);
  make_folder(planned.job.folder);
  const std::string text = to_toml(planned.config.entries());
  const std::string path = planned.job.folder + "/cell.toml";
  if (fs::exists(path) && read_file(path) == text) return;
  write_file_atomically(path, text);
}

// The model of `made` that `other`, which waits for it, needs: the last one, or that of a step.
std::string model_of(const PlannedJob& made, const PlannedJob& other) {
  const Config::Entry* folder = other.config.find("model.folder");
  const std::string read = folder == nullptr ? "" : std::get<std::string>(folder->value);
  return read.starts_with(made.job.folder + "/steps/") ? read : made.job.folder + "/model";
}

// A model that was deleted is made again where a job that is not done waits for it.
void forget_deleted_models(const std::vector<const PlannedJob*>& jobs) {
  for (const PlannedJob* planned : jobs) {
    const Job& job = planned->job;
    if (job.kind == "eval" || !job_done(*planned)) continue;
    for (const PlannedJob* other : jobs) {
      const auto& after = other->job.after;
      if (std::find(after.begin(), after.end(), job.id) == after.end() || job_done(*other)) continue;
      const std::string model = model_of(*planned, *other);
      if (fs::exists(model + "/config.json")) continue;
      fmt::print(stderr, "{}: {} is gone, made again\n", job.id, model);
      fs::remove(job.folder + "/done.json");
      break;
    }
  }
}

// The jobs whose folders can be worked in, in order. One that cannot, and those that wait for it, are named and left out.
std::vector<const PlannedJob*> workable_jobs(const std::vector<const PlannedJob*>& all) {
  std::vector<const PlannedJob*> jobs;
  std::set<std::string> refused;
  for (const PlannedJob* planned : all) {
    const Job& job = planned->job;
    const auto blocking =
        std::find_if(job.after.begin(), job.after.end(), [&](const auto& id) { return refused.contains(id); });
    std::string reason;
    if (blocking != job.after.end()) {
      reason = "waits for " + *blocking;
    } else {
      try {
        write_job_file(*planned);
      } catch (const Error& error) {
        reason = error.what();
      } catch (const fs::filesystem_error& error) {
        reason = error.what();
      }
    }
    if (reason.empty()) {
      jobs.push_back(planned);
      continue;
    }
    refused.insert(job.id);
    fmt::print(stderr, "medsbench: {}: left out: {}\n", job.id, reason);
  }
  forget_deleted_models(jobs);
  return jobs;
}

// Held while the results are written: one process at a time, also between machines.
JobLock lock_of_results(const Experiment& experiment) {
  for (;;) {
    if (auto lock = JobLock::try_take(experiment.runs)) return std::move(*lock);
    check_interrupt();
    ::poll(nullptr, 0, 100);
  }
}

// On GPUs each worker has one of its own.
void share_gpus(const Experiment& experiment, SweepSettings& settings) {
  const auto any = [&](auto holds) {
    return std::any_of(experiment.rows.begin(), experiment.rows.end(),
                       [&](const PlannedRow& row) { return holds(*row.train_job); });
  };
  if (!any([](const TrainJob& job) { return job.numerics.numerics.device.is_cuda(); })) return;
  const bool whole = any([](const TrainJob& job) { return job.processes > 1; });
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  GpuSlots slots = gpu_slots(settings.workers, cuda::find_devices().count, visible == nullptr ? "" : visible, whole);
  if (slots.workers < settings.workers) {
    fmt::print(stderr, "medsbench: {} worker{} at once instead of {}: {}\n", slots.workers, slots.workers == 1 ? "" : "s",
               settings.workers, whole ? "a training takes several GPUs" : "each takes a GPU");
  }
  settings.workers = slots.workers;
  settings.slots = std::move(slots.slots);
}

// By worker processes here, or as array jobs of Slurm.
SweepResult work_off(const Experiment& experiment, const std::vector<const PlannedJob*>& workable, const RunOptions& options) {
  std::vector<Job> jobs;
  std::map<std::string, const PlannedJob*> by_id;
  for (const PlannedJob* planned : workable) {
    jobs.push_back(planned->job);
    by_id[planned->job.id] = planned;
  }
  const auto is_done = [&](const Job& job) { return job_done(*by_id.at(job.id)); };
  std::map<std::string, std::string> environment = {{"OMP_NUM_THREADS", "1"}, {"MKL_NUM_THREADS", "1"}};
  // Threads that wait for one another give way soon: measured as fast on an idle machine, and 5 times faster on a loaded one.
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) environment["GOMP_SPINCOUNT"] = "1000";
  if (options.slurm) {
    SlurmSettings settings;
    settings.folder = fs::absolute(experiment.runs + "/slurm").string();
    settings.program = own_program();
    settings.name = "medsbench-" + fs::path(experiment.file).stem().string();
    settings.workers = std::max<int64_t>(0, options.experiment.workers);  // run.jobs is about this machine
    settings.options = experiment.slurm;
    settings.environment = environment;
    return run_jobs_on_slurm(jobs, settings, is_done);
  }
  SweepSettings settings;
  settings.workers = experiment.workers;
  settings.program = own_program();
  settings.live = ::isatty(STDERR_FILENO) != 0;
  settings.environment = environment;
  share_gpus(experiment, settings);
  return run_jobs(jobs, settings, is_done);
}

// Tries the base models of rows that are to be trained, and says what to change where hardly any response is right.
void try_base_models(const Experiment& experiment, const RunOptions& options) {
  std::vector<const PlannedJob*> jobs;
  for (const BaseTrial& trial : experiment.trials) {
    if (is_wanted(trial, experiment) && !readable_result_of(trial.job)) jobs.push_back(&trial.job);
  }
  jobs = workable_jobs(jobs);
  if (!jobs.empty()) work_off(experiment, jobs, options);
  for (const BaseTrial& trial : experiment.trials) {
    if (!is_wanted(trial, experiment)) continue;
    try {
      fmt::print(stderr, "{}", trial_text(trial, experiment.trial.share));
    } catch (const Error& error) {  // it failed or is damaged; the trainings say more
      fmt::print(stderr, "medsbench: {}: {}\n", trial.job.job.id, error.what());
    }
  }
}

// What each training did a second, as far as its timing.json tells: of the process that ended it.
std::vector<std::string> rate_lines(const Experiment& experiment) {
  std::vector<std::string> lines;
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, training] : row.train) {
      const std::string path = training.job.folder + "/timing.json";
      if (!job_done(training) || !fs::exists(path)) continue;
      try {
        const std::string line = rates_line(parse_json(read_file(path)));
        if (!line.empty()) lines.push_back(fmt::format("{}: {}", training.job.id, line));
      } catch (const Error&) {
        continue;  // a damaged timing file costs its line, nothing else
      }
    }
  }
  return lines;
}

// Two sweeps as one: what the earlier one ran was run here.
SweepResult after(const SweepResult& earlier, SweepResult sweep) {
  std::map<std::string, const JobResult*> ran;
  for (const JobResult& job : earlier.jobs) {
    if (job.ran_here) ran[job.id] = &job;
  }
  for (JobResult& job : sweep.jobs) {
    if (const auto found = ran.find(job.id); found != ran.end() && !job.ran_here) job = *found->second;
  }
  sweep.wall_seconds += earlier.wall_seconds;
  return sweep;
}

// A look of a rule that adds seeds, told on stderr. False: no row gets more.
bool look_and_go_on(const Experiment& experiment) {
  const ExperimentResults results = read_results(experiment.results);
  const Family family = judge_family(results);
  const bool more = take_look(experiment, results, family);
  fmt::print(stderr, "look {}{}", family.verdicts.looks.size(), verdicts_text(summarise(results)));
  if (more) {
    const int64_t next = *std::max_element(family.verdicts.next_seeds.begin(), family.verdicts.next_seeds.end());
    const auto open = std::count_if(family.verdicts.next_seeds.begin(), family.verdicts.next_seeds.end(),
                                    [](int64_t seeds) { return seeds > 0; });
    fmt::print(stderr, "{} comparison{} to go on, to {} seeds a row at most\n", open, open == 1 ? "" : "s", next);
  }
  return more;
}

}  // namespace

RunReport run_experiment(const RunOptions& options, const Program& program,
                         const std::function<void(const Experiment&)>& check) {
  RunReport run;
  const auto read = [&] {
    run.experiment = read_experiment(options.file, options.experiment, program);
    check(run.experiment);
  };
  read();
  check_looks(run.experiment, options.amend);
  if (prepare_models(run.experiment) || options.amend) read();  // their content is known now
  const Experiment& experiment = run.experiment;
  make_folder(experiment.runs);
  write_file_atomically(experiment.runs + "/experiment.txt", experiment.file + "\n");
  std::optional<JobLock> lock;
  for (;; read()) {  // once for each look of a rule that adds seeds
    lock.reset();
    remember_models(experiment);
    try_base_models(experiment, options);
    const std::vector<const PlannedJob*> workable = workable_jobs(all_jobs(experiment));
    run.sweep = after(run.sweep, work_off(experiment, workable, options));
    lock.emplace(lock_of_results(experiment));
    remove_leftovers(experiment.results);
    write_record(experiment, program);
    run.whole = run.sweep.ok() && workable.size() == all_jobs(experiment).size();
    if (experiment.rule.kind == SeedRule::Kind::fixed || !run.whole || !look_and_go_on(experiment)) break;
    write_report(experiment.results);  // of this look, for whoever does not wait for the next
  }
  for (const JobResult& job : run.sweep.jobs) {
    if (job.state != JobState::failed) continue;
    fmt::print(stderr, "failed: {}: {}\n", job.id, failure_reason({job.end.status, job.log_tail}));
  }
  run.report = write_report(experiment.results);
  run.rates = rate_lines(experiment);
  for (const SummaryRow& row : run.report.summary.rows) run.whole = run.whole && row.seeds_done >= row.seeds_planned;
  return run;
}

std::string status_of(const Experiment& experiment) {
  std::vector<Job> jobs;
  std::map<std::string, const PlannedJob*> by_id;
  for (const PlannedJob* planned : trials_and_jobs(experiment)) {
    jobs.push_back(planned->job);
    by_id[planned->job.id] = planned;
  }
  return status_table(sweep_status(jobs, [&](const Job& job) { return job_done(*by_id.at(job.id)); }));
}

uintmax_t remove_checkpoints(const Experiment& experiment) {
  uintmax_t bytes = 0;
  const auto remove = [&](const std::string& folder) {
    if (!fs::exists(folder)) return;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    fs::remove_all(folder);
  };
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, training] : row.train) {
      if (!job_done(training)) continue;
      remove(training.job.folder + "/checkpoint");
      const auto steps = row.checkpoints.find(seed);
      const bool evaluated =
          steps == row.checkpoints.end() ||
          std::all_of(steps->second.begin(), steps->second.end(), [](const auto& entry) { return job_done(entry.second); });
      if (evaluated) remove(training.job.folder + "/steps");
    }
  }
  return bytes;
}

std::string experiment_file_of(const std::string& path) {
  if (!fs::is_directory(path)) return path;
  const std::string note = path + "/experiment.txt";
  if (!fs::exists(note)) throw Error("{}: expected a folder that `run` made (with experiment.txt), found none", path);
  const std::string text = read_file(note);
  return text.substr(0, text.find('\n'));
}

}  // namespace harness
