#include "harness/model/out_of_memory.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

namespace harness {

namespace {

// Texts of errors that have no type of their own.
constexpr std::array<std::string_view, 6> kTexts = {
    "can't allocate memory",         // LibTorch on the CPU
    "not enough memory",             // the same on other systems
    "CUDA out of memory",            // LibTorch's cache, passed on by another thread
    "CUDA error: out of memory",     // the driver
    "CUBLAS_STATUS_ALLOC_FAILED",    // cuBLAS
    "did not start: out of memory",  // a kernel whose code is loaded when it is first started
};

std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr || dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return true;
  }
  const std::string_view text = error.what();
  for (const std::string_view known : kTexts) {
    if (text.find(known) != std::string_view::npos) return true;
  }
  return false;
}

std::optional<std::string> out_of_memory_in(torch::Device device, const std::function<void()>& attempt) {
  std::string how;
  try {
    attempt();
    return std::nullopt;
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    how = first_line(error);
  }
  if (!device.is_cpu()) at::getDeviceAllocator(device.type())->emptyCache();
  return how;
}

int64_t peak_device_bytes(torch::Device device) {
  if (device.is_cpu()) return 0;
  const auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(std::max<c10::DeviceIndex>(device.index(), 0));
  return stats.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
}

}  // namespace harness
