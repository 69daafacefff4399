#include "harness/train/states/host_states.h"

#include <torch/types.h>

namespace harness {

torch::Tensor host_room(int64_t count, torch::Dtype dtype, bool page_locked) {
  return torch::empty({count}, torch::TensorOptions().dtype(dtype).pinned_memory(page_locked));
}

torch::Tensor on_host(const torch::Tensor& tensor, torch::Dtype dtype) {
  const torch::NoGradGuard no_grad;
  return tensor.to(torch::TensorOptions().dtype(dtype).device(torch::kCPU), false, true);
}

}  // namespace harness
