// Which GPU each worker of a sweep gets.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace harness {

struct GpuSlots {
  int64_t workers = 1;                                    // worker processes at once
  std::vector<std::map<std::string, std::string>> slots;  // as SweepSettings has them
};
// One GPU a worker, and no more workers than GPUs: two trainings on one would share its memory, and how far a training halves
// its passes would depend on the other. `visible`: CUDA_VISIBLE_DEVICES as it is now ("": all `devices`, by number).
// `whole`: a job takes all GPUs itself, so that one runs at a time.
GpuSlots gpu_slots(int64_t workers, int64_t devices, const std::string& visible, bool whole);

}  // namespace harness
