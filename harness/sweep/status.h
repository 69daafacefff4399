// Where each cell of a sweep stands, read from the cells' folders; no sweep need be running.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/sweep/sweep.h"

namespace harness {

struct CellStatus {
  std::string id;
  CellState state = CellState::waiting;
  std::string note;  // progress of a running cell, last lines of a failed one, what a waiting one got to before
};

// In the order given: failed.json, a held lock and progress.json tell the state; what waits for something failed is blocked.
std::vector<CellStatus> sweep_status(const std::vector<Cell>& cells, const std::function<bool(const Cell&)>& is_done);
// A line a cell, then the counts.
std::string status_table(const std::vector<CellStatus>& status);

}  // namespace harness
