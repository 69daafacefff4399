// StepTiming: seconds of a training's parts, as a whole and by windows of steps; for timing.json, never for metrics.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace harness {

// Part -> seconds. Parts of a step: rollout (within it decode: tokens after the first of each response; readout: layer readout
// and fingerprints), score, shape (rewards and advantages by the methods, their memory included), update, checkpoint (state
// within it: that of the methods), step (the whole of it, validation left out).
using Seconds = std::map<std::string, double>;

// What the seconds of a part were spent on: tokens of responses, operations that they need (harness/model/files/work.h; what is
// computed twice counts once), bytes that must be read at least (of decode).
struct PartWork {
  double tokens = 0, flops = 0, bytes = 0;
};
// Part -> work: rollout, decode, score, update.
using Work = std::map<std::string, PartWork>;

// What the methods' own work (readout, shape, state) adds to a step, as a share of the step without it.
double method_share(const Seconds& seconds);

// Steps that one process ran, `first` .. `last`.
struct TimingWindow {
  int64_t first = 0, last = 0;
  Seconds seconds;
};

// The step that ends the window of `step`: tens up to 100, hundreds up to 1000, and so on.
int64_t window_end(int64_t step);

// Sums over the steps that one process ran.
class StepTiming {
 public:
  // Step number `step`, after those before it.
  void add(int64_t step, const Seconds& seconds, const Work& work = {});
  [[nodiscard]] const Seconds& total() const { return total_; }
  [[nodiscard]] const Work& total_work() const { return work_; }
  [[nodiscard]] const std::vector<TimingWindow>& windows() const { return windows_; }

 private:
  Seconds total_;
  Work work_;
  std::vector<TimingWindow> windows_;
};

}  // namespace harness
