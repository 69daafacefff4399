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
#include "harness/sweep/progress.h"

namespace harness {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Level of each cell: 0 waits for nobody, else one more than the highest it waits for; -1 for cells that are done.
std::vector<int64_t> levels_of(const std::vector<Cell>& cells, const std::vector<bool>& done) {
  const auto earlier = waits_for(cells);
  std::vector<int64_t> levels(cells.size(), -1);
  // Cells are few: as many rounds as there are levels, and `queue_order` has refused circles.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (done[i]) continue;
      int64_t level = 0;
      for (const size_t other : earlier[i]) level = std::max(level, done[other] ? 0 : levels[other] + 1);
      changed |= level != levels[i];
      levels[i] = level;
    }
  }
  return levels;
}

std::string task_of(const Cell& cell, size_t number, const std::vector<Cell>& cells, const SlurmSettings& settings) {
  std::string text = fmt::format("{})\n", number);
  for (const std::string& id : cell.after) {
    const auto other = std::find_if(cells.begin(), cells.end(), [&](const Cell& one) { return one.id == id; });
    text += fmt::format("  [ -e {} ] || exit 3\n", quoted(other->folder + "/" + settings.done_file));
  }
  // -E: a folder that another process works on is left to it.
  text += fmt::format("  mkdir -p {0} && exec flock -n -E 4 {1} {2}", quoted(cell.folder), quoted(cell.folder + "/lock"),
                      quoted(settings.program));
  for (const std::string& argument : cell.arguments) text += " " + quoted(argument);
  return text + fmt::format(" >> {} 2>&1 < /dev/null\n  ;;\n", quoted(cell.folder + "/log.txt"));
}

std::string script_of(const SlurmStage& stage, const std::vector<Cell>& cells, const SlurmSettings& settings) {
  const std::string throttle = settings.jobs > 0 ? fmt::format("%{}", settings.jobs) : "";
  std::string text = "#!/bin/sh\n";
  text += fmt::format("#SBATCH --job-name={}\n#SBATCH --array=0-{}{}\n", settings.name, stage.cells.size() - 1, throttle);
  text += "#SBATCH --output=/dev/null\n";
  for (const auto& [name, value] : settings.environment) text += fmt::format("export {}={}\n", name, quoted(value));
  text += "case \"$SLURM_ARRAY_TASK_ID\" in\n";
  for (size_t i = 0; i < stage.cells.size(); ++i) text += task_of(cells[stage.cells[i]], i, cells, settings);
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
  Submission(const std::vector<Cell>& cells, const SlurmSettings& settings, const std::function<bool(const Cell&)>& is_done)
      : cells_(cells), settings_(settings), is_done_(is_done), out_(settings.out != nullptr ? *settings.out : std::cerr) {}

  SweepResult run() {
    const double started = now_seconds();
    const std::vector<SlurmStage> stages = slurm_stages(cells_, settings_, is_done_);
    std::vector<bool> submitted(cells_.size(), false);
    for (size_t i = 0; i < stages.size(); ++i) {
      submit(stages[i], i);
      for (const size_t cell : stages[i].cells) submitted[cell] = true;
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
    out_ << fmt::format("Slurm job {}: {} cells", id, stage.cells.size()) << std::endl;
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
    const auto done = std::count_if(cells_.begin(), cells_.end(), is_done_);
    if (done == last_done_) return;
    last_done_ = done;
    out_ << fmt::format("{} of {} cells done", done, cells_.size()) << std::endl;
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
    for (size_t i = 0; i < cells_.size(); ++i) {
      result.cells.push_back({cells_[i].id, is_done_(cells_[i]) ? CellState::done : CellState::failed, submitted[i], {}, ""});
    }
    const auto earlier = waits_for(cells_);
    for (const size_t i : queue_order(cells_)) {
      CellResult& cell = result.cells[i];
      const bool behind = std::any_of(earlier[i].begin(), earlier[i].end(),
                                      [&](size_t other) { return result.cells[other].state != CellState::done; });
      if (cell.state == CellState::done) continue;
      if (behind) cell.state = CellState::blocked;
      if (!behind) cell.log_tail = last_lines(cells_[i].folder + "/log.txt", kTailLines);
      out_ << fmt::format("{}: {}", cell.id, to_string(cell.state)) << (behind ? "" : "; its last lines:\n" + cell.log_tail)
           << std::endl;
    }
    return result;
  }

  const std::vector<Cell>& cells_;
  const SlurmSettings& settings_;
  const std::function<bool(const Cell&)>& is_done_;
  std::ostream& out_;
  std::vector<std::string> ids_;
  int64_t last_done_ = -1;
  int refusals_ = 0;
};

}  // namespace

std::vector<SlurmStage> slurm_stages(const std::vector<Cell>& cells, const SlurmSettings& settings,
                                     const std::function<bool(const Cell&)>& is_done) {
  const std::vector<size_t> order = queue_order(cells);  // refuses circles
  std::vector<bool> done(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) done[i] = is_done(cells[i]);
  const std::vector<int64_t> levels = levels_of(cells, done);
  std::vector<SlurmStage> stages;
  for (const size_t i : order) {
    if (levels[i] < 0) continue;
    const auto level = static_cast<size_t>(levels[i]);
    if (stages.size() <= level) stages.resize(level + 1);
    stages[level].cells.push_back(i);
  }
  for (SlurmStage& stage : stages) stage.script = script_of(stage, cells, settings);
  return stages;
}

SweepResult run_cells_on_slurm(const std::vector<Cell>& cells, const SlurmSettings& settings,
                               const std::function<bool(const Cell&)>& is_done) {
  for (const char* name : {"sbatch", "squeue", "scancel"}) {
    if (find_program(name).empty()) throw Error("--slurm: expected the program {} in PATH, found none", name);
  }
  make_folder(settings.folder);
  return Submission(cells, settings, is_done).run();
}

}  // namespace harness
