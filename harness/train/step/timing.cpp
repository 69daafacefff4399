#include "harness/train/step/timing.h"

#include "harness/core/error.h"

namespace harness {

double method_share(const Seconds& seconds) {
  const auto value = [&](const char* part) { return seconds.contains(part) ? seconds.at(part) : 0.0; };
  const double added = value("readout") + value("shape") + value("state");
  const double rest = value("step") - added;
  return rest > 0 ? added / rest : 0;
}

int64_t window_end(int64_t step) {
  MEDSBENCH_CHECK(step >= 1, "step {}", step);
  int64_t width = 10;
  while (step > 10 * width) width *= 10;
  return (step + width - 1) / width * width;
}

void StepTiming::add(int64_t step, const Seconds& seconds, const Work& work) {
  if (windows_.empty() || window_end(windows_.back().last) != window_end(step)) windows_.push_back({step, step, {}});
  windows_.back().last = step;
  for (const auto& [part, value] : seconds) {
    total_[part] += value;
    windows_.back().seconds[part] += value;
  }
  for (const auto& [part, value] : work) {
    PartWork& sum = work_[part];
    sum.tokens += value.tokens;
    sum.flops += value.flops;
    sum.bytes += value.bytes;
  }
}

}  // namespace harness
