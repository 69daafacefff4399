// Tensors in CPU memory beside a network on a GPU.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace harness {

// [count] in CPU memory; `page_locked`: where a GPU reads and writes it without a detour.
torch::Tensor host_room(int64_t count, torch::Dtype dtype, bool page_locked);
// A copy of its own in ordinary CPU memory: LibTorch would round page-locked memory of every tensor up to a power of two.
torch::Tensor on_host(const torch::Tensor& tensor, torch::Dtype dtype);

}  // namespace harness
