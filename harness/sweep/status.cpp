#include "harness/sweep/status.h"

#include <algorithm>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/sweep/cell_lock.h"
#include "harness/sweep/progress.h"

namespace harness {

namespace {

CellStatus status_of(const Cell& cell, const std::function<bool(const Cell&)>& is_done) {
  CellStatus status{cell.id, CellState::waiting, ""};
  if (is_done(cell)) {
    status.state = CellState::done;
    return status;
  }
  if (const auto progress = read_progress(cell.folder)) status.note = describe(*progress);
  if (CellLock::is_taken(cell.folder)) {
    status.state = CellState::running;
  } else if (std::filesystem::exists(cell.folder + "/failed.json")) {
    status.state = CellState::failed;
    try {
      status.note = text_field(parse_json(read_file(cell.folder + "/failed.json")), "last_lines");
    } catch (const Error& error) {
      status.note = error.what();
    }
  } else if (!status.note.empty()) {
    status.note = "stopped at " + status.note;
  }
  return status;
}

}  // namespace

std::vector<CellStatus> sweep_status(const std::vector<Cell>& cells, const std::function<bool(const Cell&)>& is_done) {
  std::vector<CellStatus> status;
  status.reserve(cells.size());
  for (const Cell& cell : cells) status.push_back(status_of(cell, is_done));
  const auto earlier = waits_for(cells);
  // Cells are few: repeat until the failures have reached everyone behind them.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (status[i].state != CellState::waiting) continue;
      changed |= std::any_of(earlier[i].begin(), earlier[i].end(), [&](size_t other) {
        if (status[other].state != CellState::failed && status[other].state != CellState::blocked) return false;
        status[i].state = CellState::blocked;
        return true;
      });
    }
  }
  return status;
}

std::string status_table(const std::vector<CellStatus>& status) {
  size_t width = 4;
  for (const CellStatus& cell : status) width = std::max(width, cell.id.size());
  std::string text = fmt::format("{:<{}}  {:<8}  {}\n", "cell", width, "state", "progress");
  std::map<CellState, int64_t> counts;
  for (const CellStatus& cell : status) {
    ++counts[cell.state];
    std::string note = cell.note;
    std::replace(note.begin(), note.end(), '\n', ' ');
    const std::string name = cell.state == CellState::blocked ? "blocked" : to_string(cell.state);
    text += note.empty() ? fmt::format("{:<{}}  {}\n", cell.id, width, name)
                         : fmt::format("{:<{}}  {:<8}  {}\n", cell.id, width, name, note);
  }
  text += fmt::format("{} done, {} running, {} waiting, {} failed, {} blocked\n", counts[CellState::done],
                      counts[CellState::running], counts[CellState::waiting], counts[CellState::failed],
                      counts[CellState::blocked]);
  return text;
}

}  // namespace harness
