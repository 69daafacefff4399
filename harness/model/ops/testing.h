// What the tests of the GPU bindings share: the same tests on the host (the kernels' bodies as loops) and on a GPU, in both
// dtypes.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "harness/core/random.h"
#include "harness/cuda/device.h"
#include "harness/model/ops/gpu.h"
#include "harness/model/ops/ops_plain.h"

namespace harness::ops::gpu {

// The bodies as loops on the host, for tensors on the CPU.
inline Kernels host_kernels() { return {&cuda::host_table<float>(), &cuda::host_table<Bf16>(), nullptr}; }

}  // namespace harness::ops::gpu

namespace harness::ops {

inline torch::Tensor random_tensor(std::vector<int64_t> shape, uint64_t seed, double scale = 1.0) {
  torch::Tensor out = torch::empty(shape, torch::kFloat32);
  const RandomStream stream("binding test", {seed});
  for (int64_t i = 0; i < out.numel(); ++i)
    out.data_ptr<float>()[i] = static_cast<float>(scale * stream.normal(static_cast<uint64_t>(i)));
  return out;
}

class GpuOps : public testing::TestWithParam<std::tuple<const char*, torch::Dtype>> {
 protected:
  void SetUp() override {
    if (on_gpu() && cuda::find_devices().count == 0) GTEST_SKIP() << "skipped without a GPU: " << cuda::find_devices().why_none;
  }
  [[nodiscard]] bool on_gpu() const { return std::string(std::get<0>(GetParam())) == "cuda"; }
  [[nodiscard]] torch::Device device() const { return on_gpu() ? torch::Device(torch::kCUDA, 0) : torch::Device(torch::kCPU); }
  [[nodiscard]] gpu::Kernels kernels() const {
    return on_gpu() ? *gpu::kernels_for(torch::empty({1}, device())) : gpu::host_kernels();
  }
  [[nodiscard]] torch::Tensor make(std::vector<int64_t> shape, uint64_t seed, double scale = 1.0) const {
    return random_tensor(std::move(shape), seed, scale).to(std::get<1>(GetParam())).to(device());
  }
  [[nodiscard]] torch::Tensor fp32(std::vector<int64_t> shape, uint64_t seed) const {
    return random_tensor(std::move(shape), seed).to(device());
  }
  [[nodiscard]] torch::Tensor index(const std::vector<int64_t>& values) const {
    return torch::tensor(values, torch::kInt64).to(device());
  }
  // Both round the same fp32 number, up to `rounded` in bf16; its last bit may fall to either side.
  void expect_close(const torch::Tensor& found, const torch::Tensor& expected, double fp32 = 2e-5,
                    double rounded = 1e-3) const {
    const bool narrow = expected.scalar_type() == torch::kBFloat16;
    ASSERT_EQ(found.sizes(), expected.sizes());
    ASSERT_EQ(found.scalar_type(), expected.scalar_type());
    const auto a = found.to(torch::kCPU, torch::kFloat64), b = expected.to(torch::kCPU, torch::kFloat64);
    const double rtol = narrow ? 1.0 / 120 : fp32;
    EXPECT_TRUE(torch::allclose(a, b, rtol, narrow ? rounded : fp32))
        << "largest difference " << (a - b).abs().max().item<double>();
  }
};

#define MEDSBENCH_GPU_STANDS(suite)                                                                                        \
  INSTANTIATE_TEST_SUITE_P(Host, suite,                                                                                    \
                           testing::Combine(testing::Values("host"), testing::Values(torch::kFloat32, torch::kBFloat16))); \
  INSTANTIATE_TEST_SUITE_P(Gpu, suite,                                                                                     \
                           testing::Combine(testing::Values("cuda"), testing::Values(torch::kFloat32, torch::kBFloat16)))

}  // namespace harness::ops
