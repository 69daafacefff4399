// The GPUs of this machine, as far as the program can use them.
#pragma once

#include <string>

namespace harness::cuda {

struct Devices {
  int count = 0;
  std::string why_none;  // one line where count is 0: built without CUDA, no driver, no device
  std::string name;      // of the first
  double memory = 0;     // of the first, in bytes
};
// Asks the driver anew each time; never throws.
Devices find_devices();

}  // namespace harness::cuda
