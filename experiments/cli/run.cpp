// run, plan, status, clean: a whole experiment.
#include "harness/experiment/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "experiments/cli/every_method.h"
#include "experiments/cli/experiment_options.h"
#include "experiments/cli/verbs.h"
#include "harness/plan/experiment_plan.h"
#include "harness/report/table/table_text.h"

namespace experiments {

namespace {

namespace fs = std::filesystem;

int print_jobs(const harness::RunOptions& options) {
  const harness::Experiment experiment = harness::read_experiment(options.file, options.experiment, this_program());
  for (const harness::PlannedJob* job : harness::trials_and_jobs(experiment)) {
    fmt::print("{}\t{}\t{}\n", harness::job_done(*job) ? "done" : "to do", job->job.id, job->job.folder);
  }
  for (const std::string& also : experiment.also) fmt::print("then\t{}\n", also);
  return 0;
}

void print_costs(const harness::SweepResult& result) {
  int64_t peak = 0, ran = 0, before = 0;
  for (const harness::JobResult& job : result.jobs) {
    peak = std::max(peak, job.end.peak_kib);
    ran += job.ran_here ? 1 : 0;
    before += !job.ran_here && job.state == harness::JobState::done ? 1 : 0;
  }
  fmt::print(stderr, "{} cells run, {} done before; {:.0f} s, peak memory of a worker {:.0f} MiB\n", ran, before,
             result.wall_seconds, static_cast<double>(peak) / 1024.0);
}

int run(const harness::RunOptions& options) {
  const harness::RunReport run = harness::run_experiment(options, this_program());
  for (const std::string& warning : run.report.warnings) fmt::print(stderr, "medsbench: {}\n", warning);
  fmt::print("{}", harness::terminal_table(run.report.summary));
  for (const std::string& line : run.rates) fmt::print(stderr, "{}\n", line);
  print_costs(run.sweep);
  fmt::print(stderr, "{}/table.md, report.html and figures; outcomes in {}\n", run.experiment.results, run.experiment.runs);
  int exit_status = run.whole ? 0 : 1;
  for (const std::string& also : run.experiment.also) {
    harness::RunOptions next = options;
    next.file = also;
    if (!next.experiment.runs.empty()) next.experiment.runs += "/" + fs::path(also).stem().string();
    exit_status = std::max(exit_status, experiments::run(next));
  }
  return exit_status;
}

// Of a verb that takes the folder of the runs, or the experiment file itself.
harness::Experiment experiment_at(const harness::RunOptions& options) {
  return harness::read_experiment(harness::experiment_file_of(options.file), options.experiment, this_program());
}

}  // namespace

void add_run(Verb app) {
  const auto options = std::make_shared<harness::RunOptions>();
  const auto dry_run = std::make_shared<bool>(false);
  Verb verb = app.verb("run", "a whole experiment: base models, trainings, evaluations, tables; goes on where it stopped");
  verb.option("file", options->file, "experiment TOML").required();
  add_experiment_options(verb, options->experiment);
  verb.flag("--dry-run", *dry_run, "print the cells and stop");
  verb.flag("--slurm", options->slurm,
            "cells as array jobs of Slurm (key run.slurm: options of sbatch; --jobs: tasks at once)");
  verb.does([options, dry_run] { return *dry_run ? print_jobs(*options) : run(*options); });
}

void add_plan(Verb app) {
  const auto options = std::make_shared<harness::RunOptions>();
  const auto seed_deviation = std::make_shared<double>(2.5);  // as on the nano suite
  Verb verb = app.verb("plan", "before anything starts: cells, tokens, memory, disk, time, what it can show");
  verb.option("file", options->file, "experiment TOML").required();
  add_experiment_options(verb, options->experiment);
  verb.option("--seed-deviation", *seed_deviation, "assumed standard deviation between training seeds, points of pass@1")
      .shows_default()
      .at_least(0);
  verb.does([options, seed_deviation] {
    const harness::Experiment experiment = harness::read_experiment(options->file, options->experiment, this_program());
    fmt::print("{}", harness::plan_text(harness::plan_experiment(experiment, this_program(), *seed_deviation)));
    return 0;
  });
}

void add_status(Verb app) {
  const auto options = std::make_shared<harness::RunOptions>();
  Verb verb = app.verb("status", "where each cell of an experiment stands");
  verb.option("path", options->file, "runs folder or experiment TOML").required();
  add_experiment_options(verb, options->experiment);
  verb.does([options] {
    fmt::print("{}", harness::status_of(experiment_at(*options)));
    return 0;
  });
}

void add_clean(Verb app) {
  const auto options = std::make_shared<harness::RunOptions>();
  Verb verb = app.verb("clean", "removes checkpoints that are no longer needed");
  verb.option("path", options->file, "runs folder or experiment TOML").required();
  add_experiment_options(verb, options->experiment);
  verb.does([options] {
    const uintmax_t bytes = harness::remove_checkpoints(experiment_at(*options));
    fmt::print(stderr, "{:.1f} MiB of checkpoints removed\n", static_cast<double>(bytes) / (1 << 20));
    return 0;
  });
}

}  // namespace experiments
