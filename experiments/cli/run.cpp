// run, plan, check, status, clean: a whole experiment.
#include "harness/experiment/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "experiments/cli/every_method.h"
#include "experiments/cli/experiment_options.h"
#include "experiments/cli/findings.h"
#include "experiments/cli/verbs.h"
#include "harness/core/text_edit.h"
#include "harness/plan/experiment_plan.h"
#include "harness/report/table/table_text.h"

namespace experiments {

namespace {

namespace fs = std::filesystem;

int print_jobs(const harness::RunOptions& options) {
  const harness::Experiment experiment = harness::read_experiment(options.file, options.experiment, this_program());
  const std::vector<harness::Finding> findings = harness::check_experiment(experiment, this_program());
  show(findings);
  for (const harness::PlannedJob* job : harness::trials_and_jobs(experiment)) {
    fmt::print("{}\t{}\t{}\n", harness::job_done(*job) ? "done" : "to do", job->job.id, job->job.folder);
  }
  for (const std::string& also : experiment.also) fmt::print("then\t{}\n", also);
  return harness::holds_errors(findings) ? 1 : 0;
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
  const harness::RunReport run = harness::run_experiment(
      options, this_program(), [&](const harness::Experiment& experiment) { check_before_run(experiment, options.slurm); });
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

// Of "80GB", "80 GiB" or a number of bytes; nothing for another text.
std::optional<double> read_bytes(const std::string& text) {
  static const std::map<std::string, double> kUnits = {{"", 1},          {"B", 1},         {"MB", 1e6}, {"GB", 1e9},
                                                       {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"M", 1e6},  {"G", 1e9}};
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit = harness::trim(std::string(end, text.data() + text.size()));
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
  if (code != std::errc() || !(number > 0) || !std::isfinite(number) || !kUnits.contains(unit)) return std::nullopt;
  return number * kUnits.at(unit);
}

// Of an option that was read; 0 where it was not given.
double bytes_of(const std::string& text) { return text.empty() ? 0 : read_bytes(text).value(); }

void add_device_memory(Verb verb, std::string& text) {
  verb.option("--device-memory", text, "of each GPU, such as 80GB (default: that of the GPU here)")
      .check([](const std::string& value) { return read_bytes(value) ? "" : "expected a size such as 80GB, found " + value; });
}

std::pair<harness::Experiment, std::vector<harness::Finding>> check(const harness::RunOptions& options, double device_memory) {
  harness::Experiment experiment = harness::read_experiment(options.file, options.experiment, this_program());
  std::vector<harness::Finding> findings = harness::check_experiment(experiment, this_program(), {device_memory});
  return {std::move(experiment), std::move(findings)};
}

// Errors go to stderr; where no model can be counted they are all there is to say.
int plan(const harness::RunOptions& options, double seed_deviation, double device_memory) {
  auto [experiment, findings] = check(options, device_memory);
  const bool errors = harness::holds_errors(findings);
  const harness::ExperimentPlan plan = harness::plan_experiment(experiment, this_program(), seed_deviation);
  if (plan.models.empty() && errors) {
    show(findings);
    return 1;
  }
  const auto end = std::partition_point(findings.begin(), findings.end(), [](const harness::Finding& finding) {
    return finding.severity == harness::Severity::error;
  });
  show({findings.begin(), end});
  for (auto finding = end; finding != findings.end(); ++finding) fmt::print("{}\n", harness::finding_text(*finding));
  fmt::print("{}", harness::plan_text(plan));
  return errors ? 1 : 0;
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
  verb.flag("--amend", options->amend, "write down that until.* or the comparisons changed after a look, and go on");
  verb.does([options, dry_run] { return *dry_run ? print_jobs(*options) : run(*options); });
}

void add_plan(Verb app) {
  const auto options = std::make_shared<harness::RunOptions>();
  const auto seed_deviation = std::make_shared<double>(2.5);  // as on the nano suite
  const auto memory = std::make_shared<std::string>();
  Verb verb = app.verb("plan", "before anything starts: cells, tokens, memory, disk, time, what it can show");
  verb.option("file", options->file, "experiment TOML").required();
  add_experiment_options(verb, options->experiment);
  verb.option("--seed-deviation", *seed_deviation, "assumed standard deviation between training seeds, points of pass@1")
      .shows_default()
      .at_least(0);
  add_device_memory(verb, *memory);
  verb.does([options, seed_deviation, memory] { return plan(*options, *seed_deviation, bytes_of(*memory)); });
}

void add_check(Verb app) {
  const auto options = std::make_shared<harness::RunOptions>();
  const auto memory = std::make_shared<std::string>();
  Verb verb = app.verb("check", "every setting that cannot be or defeats itself, with its line and the way out");
  verb.option("file", options->file, "experiment TOML").required();
  add_experiment_options(verb, options->experiment);
  add_device_memory(verb, *memory);
  verb.does([options, memory] {
    const std::vector<harness::Finding> findings = check(*options, bytes_of(*memory)).second;
    for (const harness::Finding& finding : findings) fmt::print("{}\n", harness::finding_text(finding));
    fmt::print(stderr, "{} findings\n", findings.size());
    return harness::holds_errors(findings) ? 1 : 0;
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
