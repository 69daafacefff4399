// SweepDisplay: what a sweep shows of itself, as lines or as a view that redraws itself.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "harness/sweep/sweep.h"

namespace harness {

// `cells` must outlive it; it looks for their progress.json in the folders.
class SweepDisplay {
 public:
  SweepDisplay(const std::vector<Job>& jobs, const SweepSettings& settings);
  void started(const Job& job);
  void ended(const Job& job, const JobResult& result);
  // One line that stays.
  void say(const std::string& line);
  // Called often; writes when it is time to.
  void refresh(const SweepResult& so_far);
  // Wipes the live part.
  void finish();

 private:
  struct Clock {
    double since = 0;        // when progress was first read
    double first_done = -1;  // what it said then
  };
  [[nodiscard]] std::string line_of(const Job& job);
  void erase();
  void draw(const SweepResult& so_far);

  const std::vector<Job>& jobs_;
  std::ostream& out_;
  bool live_;
  double line_seconds_;
  double last_ = 0;
  int drawn_ = 0;     // lines of the live part on the screen
  size_t width_ = 0;  // longest id
  std::map<std::string, Clock> clocks_;
};

}  // namespace harness
