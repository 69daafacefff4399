// Fuzz target: any bytes as a safetensors file; every tensor's bytes are touched.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "harness/core/error.h"
#include "harness/core/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int descriptor = ::memfd_create("fuzz.safetensors", 0);
  if (descriptor < 0 || ::write(descriptor, data, size) != static_cast<ssize_t>(size)) {
    if (descriptor >= 0) ::close(descriptor);
    return 0;
  }
  try {
    const harness::SafetensorsFile file("/proc/self/fd/" + std::to_string(descriptor));
    volatile unsigned sum = 0;
    for (const auto& entry : file.entries()) {
      for (const std::byte value : entry.bytes) sum = sum + static_cast<unsigned>(value);
    }
  } catch (const harness::Error&) {
    // bad input is answered, not a finding
  }
  ::close(descriptor);
  return 0;
}
