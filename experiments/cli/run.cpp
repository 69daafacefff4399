// run, status, clean: a whole experiment as a sweep of cells; what is done stays done.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>

#include "experiments/cli/base_model.h"
#include "experiments/cli/cell.h"
#include "experiments/cli/cell_folder.h"
#include "experiments/cli/experiment.h"
#include "experiments/cli/rates.h"
#include "experiments/cli/results_manifest.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/cuda/device.h"
#include "harness/report/report_folder.h"
#include "harness/report/table/table_text.h"
#include "harness/sweep/cell_lock.h"
#include "harness/sweep/gpu_slots.h"
#include "harness/sweep/slurm.h"
#include "harness/sweep/status.h"
#include "harness/sweep/sweep.h"

namespace experiments {

namespace {

using harness::Error;
namespace fs = std::filesystem;

struct RunOptions {
  std::string file;
  ExperimentOptions plan;
  bool dry_run = false;
  bool slurm = false;
};

std::string own_program() {
  std::error_code code;
  const fs::path path = fs::read_symlink("/proc/self/exe", code);
  if (code) throw Error("/proc/self/exe: expected this program's path, found: {}", code.message());
  return path.string();
}

// Models that a script makes where they are not there yet, and those that are given more positions; returns whether a script
// made any. Cells whose model is missing fail by themselves, the others go on; with no model at all nothing is begun.
bool prepare_models(const Experiment& experiment) {
  bool made = false;
  const auto cells = all_cells(experiment);
  const bool any = experiment.models.size() > 1 ||
                   std::any_of(cells.begin(), cells.end(), [](const PlannedCell* cell) { return is_finished(*cell); });
  for (const BaseModel& model : experiment.models) {
    if (!model.cell.empty()) continue;
    std::string source = find_model(model.path, experiment.model_cache);
    const auto script = experiment.prepare.find(model.name);
    if (source.empty() && script != experiment.prepare.end()) {
      fmt::print(stderr, "{}: making {} with {}\n", model.name, model.path, script->second);
      ::setenv("MEDSBENCH", own_program().c_str(), 1);
      const int status = std::system(fmt::format("bash '{}' '{}' 1>&2", script->second, model.path).c_str());
      source = find_model(model.path, experiment.model_cache);
      if (status != 0 || source.empty()) {
        throw Error("{}: expected it to make {}, found exit status {}", script->second, model.path, status);
      }
      made = true;
    }
    if (source.empty()) {
      const Error error("{}: models.{}.path: expected {}, found none", experiment.file, model.name,
                        missing_model_text(model.path, experiment.model_cache));
      if (!any) throw error;
      fmt::print(stderr, "medsbench: {}\n", error.what());
      continue;
    }
    if (model.positions > 0) {
      harness::with_context(fmt::format("{}: models.{}", experiment.file, model.name),
                            [&] { extend_positions(source, model.folder, model.positions); });
    }
  }
  return made;
}

// Every problem set that a cell still to be run will read: what is missing is said before anything starts.
void check_data(const Experiment& experiment) {
  std::set<std::string> seen;
  const auto read = [&](const PlannedCell& cell, const char* split) {
    if (is_finished(cell)) return;
    harness::Config config = cell.config;
    const DataKeys data = read_data(config);
    for (const std::string& name : split == std::string("train") ? data.train : data.sets) {
      if (seen.insert(name + "\n" + split).second) datasets::load_sets({name}, split, data.load);
    }
  };
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, cell] : row.train) read(cell, "train");
    for (const auto& [seed, cell] : row.eval) read(cell, "test");
  }
}

// What an earlier version of the experiment file left in a cell's folder is begun anew.
void clear_other_configuration(const PlannedCell& planned) {
  const std::string manifest = planned.cell.folder + "/manifest.json";
  if (cell_done(planned) || !fs::exists(manifest)) return;
  const harness::Json json = harness::with_context(manifest, [&] { return harness::parse_json(harness::read_file(manifest)); });
  if (json.value("identity", "") == planned.identity) return;
  fmt::print(stderr, "{}: its configuration has changed, begun anew\n", planned.cell.id);
  fs::remove_all(planned.cell.folder);
}

// cell.toml: what the worker reads. An unchanged file is left alone.
void write_cell_file(const PlannedCell& planned) {
  clear_other_configuration(planned);
  harness::make_folder(planned.cell.folder);
  std::string text;
  for (const auto& [key, entry] : planned.config.entries())
    text += fmt::format("{} = {}\n", key, harness::to_toml(entry.value));
  const std::string path = planned.cell.folder + "/cell.toml";
  if (fs::exists(path) && harness::read_file(path) == text) return;
  harness::write_file_atomically(path, text);
}

// A model that was deleted is made again where a cell that is not done waits for it.
void forget_deleted_models(const std::vector<const PlannedCell*>& cells) {
  for (const PlannedCell* planned : cells) {
    const harness::Cell& cell = planned->cell;
    if (cell.kind == "eval" || !cell_done(*planned) || fs::exists(cell.folder + "/model/config.json")) continue;
    const bool wanted = std::any_of(cells.begin(), cells.end(), [&](const PlannedCell* other) {
      const auto& after = other->cell.after;
      return std::find(after.begin(), after.end(), cell.id) != after.end() && !cell_done(*other);
    });
    if (!wanted) continue;
    fmt::print(stderr, "{}: {}/model is gone, made again\n", cell.id, cell.folder);
    fs::remove(cell.folder + "/done.json");
  }
}

// The cells whose folders can be worked in, in order. One that cannot, and those that wait for it, are named and left out.
std::vector<const PlannedCell*> workable_cells(const Experiment& experiment) {
  std::vector<const PlannedCell*> cells;
  std::set<std::string> refused;
  for (const PlannedCell* planned : all_cells(experiment)) {
    const harness::Cell& cell = planned->cell;
    const auto blocking =
        std::find_if(cell.after.begin(), cell.after.end(), [&](const auto& id) { return refused.contains(id); });
    std::string reason;
    if (blocking != cell.after.end()) {
      reason = "waits for " + *blocking;
    } else {
      try {
        write_cell_file(*planned);
      } catch (const Error& error) {
        reason = error.what();
      } catch (const fs::filesystem_error& error) {
        reason = error.what();
      }
    }
    if (reason.empty()) {
      cells.push_back(planned);
      continue;
    }
    refused.insert(cell.id);
    fmt::print(stderr, "medsbench: {}: left out: {}\n", cell.id, reason);
  }
  forget_deleted_models(cells);
  return cells;
}

// Held while the results are written: one process at a time, also between machines.
harness::CellLock lock_of_results(const Experiment& experiment) {
  for (;;) {
    if (auto lock = harness::CellLock::try_take(experiment.runs)) return std::move(*lock);
    harness::check_interrupt();
    ::poll(nullptr, 0, 100);
  }
}

void print_costs(const harness::SweepResult& result) {
  int64_t peak = 0, ran = 0;
  for (const harness::CellResult& cell : result.cells) {
    peak = std::max(peak, cell.end.peak_kib);
    ran += cell.ran_here ? 1 : 0;
  }
  fmt::print(stderr, "{} cells run, {} done before; {:.0f} s, peak memory of a worker {:.0f} MiB\n", ran,
             static_cast<int64_t>(result.cells.size()) - ran, result.wall_seconds, static_cast<double>(peak) / 1024.0);
}

// What each training did a second, as far as its timing.json tells: of the process that ended it.
void print_rates(const Experiment& experiment) {
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, training] : row.train) {
      const std::string path = training.cell.folder + "/timing.json";
      if (!cell_done(training) || !fs::exists(path)) continue;
      try {
        const std::string line = rates_line(harness::parse_json(harness::read_file(path)));
        if (!line.empty()) fmt::print(stderr, "{}: {}\n", training.cell.id, line);
      } catch (const Error&) {
        continue;  // a damaged timing file costs its line, nothing else
      }
    }
  }
}

using IsDone = std::function<bool(const harness::Cell&)>;

// Whether a row has this value of a key.
template <typename Holds>
bool any_row(const Experiment& experiment, const char* key, Holds holds) {
  return std::any_of(experiment.rows.begin(), experiment.rows.end(), [&](const PlannedRow& row) {
    const auto found = row.config.effective().find(key);
    return found != row.config.effective().end() && holds(found->second.value);
  });
}

// On GPUs each worker has one of its own.
void share_gpus(const Experiment& experiment, harness::SweepSettings& settings) {
  using Value = harness::Config::Value;
  if (!any_row(experiment, "numerics.device", [](const Value& value) { return value == Value(std::string("cuda")); })) return;
  const bool whole = any_row(experiment, "train.processes", [](const Value& value) { return std::get<int64_t>(value) > 1; });
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  harness::GpuSlots slots =
      harness::gpu_slots(settings.jobs, harness::cuda::find_devices().count, visible == nullptr ? "" : visible, whole);
  if (slots.jobs < settings.jobs) {
    fmt::print(stderr, "medsbench: {} worker{} at once instead of {}: {}\n", slots.jobs, slots.jobs == 1 ? "" : "s",
               settings.jobs, whole ? "a training takes several GPUs" : "each takes a GPU");
  }
  settings.jobs = slots.jobs;
  settings.slots = std::move(slots.slots);
}

// By worker processes here, or as array jobs of Slurm.
harness::SweepResult work_off(const Experiment& experiment, const std::vector<harness::Cell>& cells, const RunOptions& options,
                              const IsDone& is_done) {
  std::map<std::string, std::string> environment = {{"OMP_NUM_THREADS", "1"}, {"MKL_NUM_THREADS", "1"}};
  // Threads that wait for one another give way soon: measured as fast on an idle machine, and 5 times faster on a loaded one.
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) environment["GOMP_SPINCOUNT"] = "1000";
  if (options.slurm) {
    harness::SlurmSettings settings;
    settings.folder = fs::absolute(experiment.runs + "/slurm").string();
    settings.program = own_program();
    settings.name = "medsbench-" + fs::path(experiment.file).stem().string();
    settings.jobs = std::max<int64_t>(0, options.plan.jobs);  // run.jobs is about this machine
    settings.options = experiment.slurm;
    settings.environment = environment;
    return harness::run_cells_on_slurm(cells, settings, is_done);
  }
  harness::SweepSettings settings;
  settings.jobs = experiment.jobs;
  settings.program = own_program();
  settings.live = ::isatty(STDERR_FILENO) != 0;
  settings.environment = environment;
  share_gpus(experiment, settings);
  return harness::run_cells(cells, settings, is_done);
}

int run_verb(const RunOptions& options) {
  Experiment experiment = read_experiment_file(options.file, options.plan);
  if (options.dry_run) {
    for (const PlannedCell* cell : all_cells(experiment)) {
      fmt::print("{}\t{}\t{}\n", cell_done(*cell) ? "done" : "to do", cell->cell.id, cell->cell.folder);
    }
    for (const std::string& also : experiment.also) fmt::print("then\t{}\n", also);
    return 0;
  }
  if (prepare_models(experiment)) experiment = read_experiment_file(options.file, options.plan);  // their content is known now
  check_data(experiment);
  harness::make_folder(experiment.runs);
  remember_models(experiment);
  harness::write_file_atomically(experiment.runs + "/experiment.txt", experiment.file + "\n");
  std::vector<harness::Cell> cells;
  std::map<std::string, const PlannedCell*> by_id;
  const std::vector<const PlannedCell*> workable = workable_cells(experiment);
  for (const PlannedCell* planned : workable) {
    cells.push_back(planned->cell);
    by_id[planned->cell.id] = planned;
  }
  const harness::SweepResult result =
      work_off(experiment, cells, options, [&](const harness::Cell& cell) { return cell_done(*by_id.at(cell.id)); });
  for (const harness::CellResult& cell : result.cells) {
    if (cell.state == harness::CellState::failed) fmt::print(stderr, "failed: {}\n{}\n", cell.id, cell.log_tail);
  }
  const harness::CellLock lock = lock_of_results(experiment);
  remove_leftovers(experiment.results);
  write_manifest_once(experiment);
  const harness::ReportDone report = harness::write_report(experiment.results);
  for (const std::string& warning : report.warnings) fmt::print(stderr, "medsbench: {}\n", warning);
  fmt::print("{}", harness::terminal_table(report.summary));
  print_rates(experiment);
  print_costs(result);
  fmt::print(stderr, "{}/table.md, report.html and figures; outcomes in {}\n", experiment.results, experiment.runs);
  // A row may lack a seed although its cells are done: outcomes that cannot be read.
  bool whole = result.ok() && workable.size() == all_cells(experiment).size();
  for (const harness::SummaryRow& row : report.summary.rows) whole = whole && row.seeds_done >= row.seeds_planned;
  int exit_status = whole ? 0 : 1;
  for (const std::string& also : experiment.also) {
    RunOptions next = options;
    next.file = also;
    if (!next.plan.runs.empty()) next.plan.runs += "/" + fs::path(also).stem().string();
    exit_status = std::max(exit_status, run_verb(next));
  }
  return exit_status;
}

int status_verb(const RunOptions& options) {
  const Experiment experiment = read_experiment_file(options.file, options.plan);
  std::vector<harness::Cell> cells;
  std::map<std::string, const PlannedCell*> by_id;
  for (const PlannedCell* planned : all_cells(experiment)) {
    cells.push_back(planned->cell);
    by_id[planned->cell.id] = planned;
  }
  fmt::print("{}", harness::status_table(
                       harness::sweep_status(cells, [&](const harness::Cell& cell) { return cell_done(*by_id.at(cell.id)); })));
  return 0;
}

// Checkpoints of finished trainings: needed only to go on with more steps.
int clean_verb(const RunOptions& options) {
  const Experiment experiment = read_experiment_file(options.file, options.plan);
  uintmax_t bytes = 0;
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, training] : row.train) {
      const std::string checkpoint = training.cell.folder + "/checkpoint";
      if (!cell_done(training) || !fs::exists(checkpoint)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(checkpoint)) {
        if (entry.is_regular_file()) bytes += entry.file_size();
      }
      fs::remove_all(checkpoint);
    }
  }
  fmt::print(stderr, "{:.1f} MiB of checkpoints removed\n", static_cast<double>(bytes) / (1 << 20));
  return 0;
}

// `status DIR` and `clean DIR` take the folder of the runs, which remembers its experiment file; or the file itself.
std::string experiment_of(const std::string& path) {
  if (!fs::is_directory(path)) return path;
  const std::string note = path + "/experiment.txt";
  if (!fs::exists(note)) throw Error("{}: expected a folder that `run` made (with experiment.txt), found none", path);
  std::string text = harness::read_file(note);
  return text.substr(0, text.find('\n'));
}

void add_plan_options(CLI::App* verb, const std::shared_ptr<RunOptions>& options) {
  verb->add_option("--out", options->plan.runs, "folder for run folders and results (default: runs/NAME and results/NAME)");
  verb->add_option("--jobs", options->plan.jobs, "worker processes at once")->check(CLI::PositiveNumber);
  verb->add_option("--seeds", options->plan.seeds, "number of training seeds")->check(CLI::PositiveNumber);
  verb->add_option("--data", options->plan.data_dir, "folder with the published data sets");
  verb->add_option("--scale", options->plan.scale, "multiplies steps, prompts and samples")->check(CLI::PositiveNumber);
  verb->add_option("--set", options->plan.sets, "KEY=VALUE, over the file");
}

}  // namespace

void add_run(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* verb =
      app.add_subcommand("run", "a whole experiment: base models, trainings, evaluations, tables; goes on where it stopped");
  verb->add_option("file", options->file, "experiment TOML")->required();
  add_plan_options(verb, options);
  verb->add_flag("--dry-run", options->dry_run, "print the cells and stop");
  verb->add_flag("--slurm", options->slurm,
                 "cells as array jobs of Slurm (key run.slurm: options of sbatch; --jobs: tasks at once)");
  verb->callback([&chosen, options] { chosen = [options] { return run_verb(*options); }; });
}

void add_status(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("status", "where each cell of an experiment stands");
  verb->add_option("path", options->file, "runs folder or experiment TOML")->required();
  add_plan_options(verb, options);
  verb->callback([&chosen, options] {
    chosen = [options] {
      options->file = experiment_of(options->file);
      return status_verb(*options);
    };
  });
}

void add_clean(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("clean", "removes checkpoints that are no longer needed");
  verb->add_option("path", options->file, "runs folder or experiment TOML")->required();
  add_plan_options(verb, options);
  verb->callback([&chosen, options] {
    chosen = [options] {
      options->file = experiment_of(options->file);
      return clean_verb(*options);
    };
  });
}

}  // namespace experiments
