#include "harness/sweep/cell.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "harness/core/error.h"

namespace harness {

std::vector<std::vector<size_t>> waits_for(const std::vector<Cell>& cells) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!places.try_emplace(cells[i].id, i).second)
      throw Error("cell {}: expected an id of its own, found it twice", cells[i].id);
  }
  std::vector<std::vector<size_t>> earlier(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    for (const std::string& id : cells[i].after) {
      const auto found = places.find(id);
      if (found == places.end()) throw Error("cell {}: expected the id of a cell to wait for, found {}", cells[i].id, id);
      earlier[i].push_back(found->second);
    }
  }
  return earlier;
}

std::vector<size_t> queue_order(const std::vector<Cell>& cells) {
  const auto earlier = waits_for(cells);
  std::vector<int64_t> open(cells.size(), 0);  // cells that still wait for this one
  for (const auto& list : earlier) {
    for (const size_t cell : list) ++open[cell];
  }
  // From the last cells back: chain = 1 + the longest chain among those that wait.
  std::vector<int64_t> chain(cells.size(), 0);
  std::vector<size_t> finished;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (open[i] == 0) finished.push_back(i);
  }
  for (size_t next = 0; next < finished.size(); ++next) {
    for (const size_t cell : earlier[finished[next]]) {
      chain[cell] = std::max(chain[cell], chain[finished[next]] + 1);
      if (--open[cell] == 0) finished.push_back(cell);
    }
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    if (open[i] > 0) throw Error("cell {}: expected cells to wait for that can finish first, found a circle", cells[i].id);
  }
  std::vector<size_t> order(cells.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::tuple(-cells[a].priority, -chain[a]) < std::tuple(-cells[b].priority, -chain[b]);
  });
  return order;
}

}  // namespace harness
