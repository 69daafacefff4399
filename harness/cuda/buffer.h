// Buffer: an array that host and GPU read, and random inputs, for the tests and benchmarks of the kernels.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "harness/core/random.h"
#include "harness/cuda/device.h"
#include "harness/cuda/kernels.h"

#ifdef MEDSBENCH_CUDA
#include <cuda_runtime_api.h>
#endif

namespace harness::cuda {

// Managed memory where there is a GPU. `offset` values are left free before it, so that it is
// not aligned.
template <typename T>
class Buffer {
 public:
  explicit Buffer(int64_t size, int64_t offset = 0) : size_(size), offset_(offset) {
    const size_t bytes = sizeof(T) * static_cast<size_t>(size + offset) + 16;
#ifdef MEDSBENCH_CUDA
    void* managed = nullptr;
    if (find_devices().count > 0 && cudaMallocManaged(&managed, bytes) == cudaSuccess) {
      memory_ = std::shared_ptr<void>(managed, [](void* p) { cudaFree(p); });
    }
#endif
    if (memory_ == nullptr) {
      constexpr std::align_val_t kAlignment{64};
      memory_ = std::shared_ptr<void>(::operator new(bytes, kAlignment),
                                      [](void* p) { ::operator delete (p, std::align_val_t{64}); });
    }
    std::memset(memory_.get(), 0, bytes);
  }
  explicit Buffer(const std::vector<T>& values) : Buffer(static_cast<int64_t>(values.size())) {
    for (int64_t i = 0; i < size_; ++i) data()[i] = values[static_cast<size_t>(i)];
  }
  [[nodiscard]] T* data() const { return static_cast<T*>(memory_.get()) + offset_; }
  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] double operator[](int64_t i) const {
    if constexpr (std::is_same_v<T, Bf16>) {
      return static_cast<double>(to_float(data()[i]));
    } else {
      return static_cast<double>(data()[i]);
    }
  }
  [[nodiscard]] bool same_bytes(const Buffer& other) const {
    return size_ == other.size_ && std::memcmp(data(), other.data(), sizeof(T) * static_cast<size_t>(size_)) == 0;
  }

 private:
  std::shared_ptr<void> memory_;
  int64_t size_, offset_;
};

// Normal values times `scale`, keyed by the seed.
template <typename T>
Buffer<T> random_buffer(int64_t size, uint64_t seed, double scale = 1.0, int64_t offset = 0) {
  Buffer<T> buffer(size, offset);
  const RandomStream stream("kernel test", {seed});
  for (int64_t i = 0; i < size; ++i)
    buffer.data()[i] = from_float<T>(static_cast<float>(scale * stream.normal(static_cast<uint64_t>(i))));
  return buffer;
}

}  // namespace harness::cuda
