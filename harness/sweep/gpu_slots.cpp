#include "harness/sweep/gpu_slots.h"

#include <algorithm>
#include <sstream>

namespace harness {

GpuSlots gpu_slots(int64_t workers, int64_t devices, const std::string& visible, bool whole) {
  if (whole || devices < 1) return {1, {}};
  GpuSlots out;
  std::istringstream names(visible);
  for (std::string name; out.slots.size() < static_cast<size_t>(devices) && std::getline(names, name, ',');) {
    out.slots.push_back({{"CUDA_VISIBLE_DEVICES", name}});
  }
  for (size_t i = 0; visible.empty() && i < static_cast<size_t>(devices); ++i) {
    out.slots.push_back({{"CUDA_VISIBLE_DEVICES", std::to_string(i)}});
  }
  out.workers = std::min(workers, static_cast<int64_t>(out.slots.size()));
  return out;
}

}  // namespace harness
