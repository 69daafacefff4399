#include "harness/sweep/job.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "harness/core/error.h"

namespace harness {

std::vector<std::vector<size_t>> waits_for(const std::vector<Job>& jobs) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (!places.try_emplace(jobs[i].id, i).second)
      throw Error("cell {}: expected an id of its own, found it twice", jobs[i].id);
  }
  std::vector<std::vector<size_t>> earlier(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    for (const std::string& id : jobs[i].after) {
      const auto found = places.find(id);
      if (found == places.end()) throw Error("cell {}: expected the id of a cell to wait for, found {}", jobs[i].id, id);
      earlier[i].push_back(found->second);
    }
  }
  return earlier;
}

std::vector<size_t> queue_order(const std::vector<Job>& jobs) {
  const auto earlier = waits_for(jobs);
  std::vector<int64_t> open(jobs.size(), 0);  // jobs that still wait for this one
  for (const auto& list : earlier) {
    for (const size_t job : list) ++open[job];
  }
  // From the last jobs back: chain = 1 + the longest chain among those that wait.
  std::vector<int64_t> chain(jobs.size(), 0);
  std::vector<size_t> finished;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (open[i] == 0) finished.push_back(i);
  }
  for (size_t next = 0; next < finished.size(); ++next) {
    for (const size_t job : earlier[finished[next]]) {
      chain[job] = std::max(chain[job], chain[finished[next]] + 1);
      if (--open[job] == 0) finished.push_back(job);
    }
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (open[i] > 0) throw Error("cell {}: expected cells to wait for that can finish first, found a circle", jobs[i].id);
  }
  std::vector<size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::tuple(-jobs[a].priority, -chain[a]) < std::tuple(-jobs[b].priority, -chain[b]);
  });
  return order;
}

}  // namespace harness
