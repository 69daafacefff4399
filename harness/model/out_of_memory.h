// Where memory ends: that error told from others, so that an attempt can be made again with less.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>

namespace harness {

// Whether the error is one of memory: LibTorch's allocators on a GPU and on the CPU, CUDA's libraries, or `new`.
bool is_out_of_memory(const std::exception& error);

// Runs `attempt`. Where it ended for want of memory: how, in one line; what LibTorch keeps on the device for reuse is given
// back then. Every other error passes through.
std::optional<std::string> out_of_memory_in(torch::Device device, const std::function<void()>& attempt);

// The most that LibTorch's tensors took of the device's memory at once in this process; 0 for the CPU.
int64_t peak_device_bytes(torch::Device device);

}  // namespace harness
