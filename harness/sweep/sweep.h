// Sweep: works a list of cells off with worker processes; what is done stays done, what fails does not stop the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "harness/sweep/cell.h"
#include "harness/sweep/worker.h"

namespace harness {

struct SweepSettings {
  int64_t jobs = 1;                                // worker processes at once
  std::string program;                             // of the workers
  std::string log_folder;                          // "": each log in its cell's folder as log.txt; else LOG_FOLDER/ID.txt
  std::map<std::string, std::string> environment;  // for every worker, e.g. OMP_NUM_THREADS
  std::vector<std::map<std::string, std::string>>
      slots;                    // for the worker of slot i % size, e.g. CUDA_VISIBLE_DEVICES; may be empty
  bool live = false;            // a view that redraws itself, for terminals
  double line_seconds = 15;     // else: how often a line says how far each cell is
  std::ostream* out = nullptr;  // where the view goes; null: std::cerr
};

// blocked: it waits for one that failed.
enum class CellState { waiting, running, done, failed, blocked };
const char* to_string(CellState state);

struct CellResult {
  std::string id;
  CellState state = CellState::waiting;
  bool ran_here = false;  // by a worker of this process
  WorkerEnd end;          // of that worker
  std::string log_tail;   // last lines of a failed cell's log
};

struct SweepResult {
  std::vector<CellResult> cells;  // in the order given
  double wall_seconds = 0;
  [[nodiscard]] bool ok() const;  // every cell is done
  [[nodiscard]] int64_t count(CellState state) const;
};

// Runs every cell that `is_done` does not find finished (FOLDER/done.json with the identity wanted, as a rule), cells that
// others wait for first. Several processes on the same folders share the work: a cell locked by another is waited for, and
// `is_done` is asked again once the lock is had, so that no cell is done twice and none is lost. A cell whose worker ends
// without `is_done` holding afterwards has failed, whatever its status: FOLDER/failed.json keeps its last lines, and the
// cells after it are blocked. Ctrl-C: SIGINT goes to the workers, they are waited for, then Interrupted is thrown.
SweepResult run_cells(const std::vector<Cell>& cells, const SweepSettings& settings,
                      const std::function<bool(const Cell&)>& is_done);

}  // namespace harness
