// What the bindings of the GPU kernels share: tensors to pointers, and arrays to the device in one copy.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "harness/core/error.h"
#include "harness/model/ops/gpu.h"

namespace harness::ops::gpu {

// Null for an undefined tensor.
template <typename T>
T* data(const torch::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  MEDSBENCH_CHECK(tensor.is_contiguous(), "strides {}", fmt::join(tensor.strides(), ","));
  return static_cast<T*>(tensor.data_ptr());
}

// Calls body(table of the tensor's dtype, a value of it).
template <typename Body>
void by_dtype(const Kernels& kernels, const torch::Tensor& tensor, Body&& body) {
  if (tensor.scalar_type() == torch::kFloat32) return body(*kernels.fp32, float{});
  MEDSBENCH_CHECK(tensor.scalar_type() == torch::kBFloat16, "dtype {}", c10::toString(tensor.scalar_type()));
  body(*kernels.bf16, Bf16{});
}

inline cuda::Heads heads_of(kernels::HeadShape s) { return {s.heads, s.kv_heads, s.dim}; }

inline torch::TensorOptions fp32_like(const torch::Tensor& tensor) { return tensor.options().dtype(torch::kFloat32); }

// Several arrays in one copy to the device, each at a multiple of 16 bytes.
class Upload {
 public:
  // `padded`: values in all, zeros beyond those given; 0: none.
  template <typename T>
  size_t add(const std::vector<T>& values, int64_t padded = 0) {
    const size_t at = (bytes_.size() + 15) / 16 * 16;
    bytes_.resize(at + sizeof(T) * std::max(values.size(), static_cast<size_t>(padded)));
    if (!values.empty()) std::memcpy(bytes_.data() + at, values.data(), sizeof(T) * values.size());
    return at;
  }
  torch::Tensor to(torch::Device device) {
    const torch::Tensor host = torch::from_blob(bytes_.data(), {static_cast<int64_t>(bytes_.size())}, torch::kUInt8);
    return device.is_cpu() ? host.clone() : host.to(device);
  }

 private:
  std::vector<uint8_t> bytes_;
};

template <typename T>
const T* at(const torch::Tensor& bytes, size_t offset) {
  return reinterpret_cast<const T*>(static_cast<const uint8_t*>(bytes.data_ptr()) + offset);
}

}  // namespace harness::ops::gpu
