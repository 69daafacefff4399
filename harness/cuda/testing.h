// What the tests of this folder share: the stands of the kernels (host, GPU) and tolerances.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/cuda/buffer.h"

namespace harness::cuda {

enum class Stand { host, host_backwards, gpu };

// The same tests on every stand; on the GPU they are skipped, with the reason, where there is none.
class KernelTest : public testing::TestWithParam<Stand> {
 protected:
  void SetUp() override {
    if (GetParam() != Stand::gpu) return;
    const Devices devices = find_devices();
    if (devices.count == 0) GTEST_SKIP() << "skipped without a GPU: " << devices.why_none;
  }
  template <typename T>
  [[nodiscard]] const Table<T>& table() const {
    return GetParam() == Stand::gpu ? *gpu_table<T>() : host_table<T>(GetParam() == Stand::host_backwards);
  }
};

#define MEDSBENCH_KERNEL_STANDS(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(Host, suite, testing::Values(Stand::host, Stand::host_backwards)); \
  INSTANTIATE_TEST_SUITE_P(Gpu, suite, testing::Values(Stand::gpu))

inline void finish(Stand stand) {
#ifdef MEDSBENCH_CUDA
  if (stand == Stand::gpu) {
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
#else
  (void)stand;
#endif
}

// Half a unit in the last place of bf16 is 2^-9 of the value; a rounding that falls to the other side is twice that.
template <typename T>
double tolerance(double expected, double fp32 = 2e-5) {
  return (std::is_same_v<T, Bf16> ? 1.0 / 128 : fp32) * std::abs(expected) + (std::is_same_v<T, Bf16> ? 1e-4 : fp32);
}

}  // namespace harness::cuda
