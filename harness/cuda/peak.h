// Peak rates of GPUs by the name that the driver gives them, from the makers' data sheets (dense products, no sparsity).
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace harness::cuda {

struct Peak {
  std::string_view name;
  double bf16_flops = 0, fp32_flops = 0;  // operations a second: tensor cores, and plain fp32 (LibTorch's default)
  double bytes = 0;                       // of device memory a second
};

inline constexpr std::array<Peak, 10> kPeaks = {{
    {"NVIDIA H200", 989.4e12, 66.9e12, 4.8e12},
    {"NVIDIA H200 NVL", 835.5e12, 60e12, 4.8e12},
    {"NVIDIA H100 80GB HBM3", 989.4e12, 66.9e12, 3.35e12},
    {"NVIDIA H100 NVL", 835.5e12, 60e12, 3.9e12},
    {"NVIDIA H100 PCIe", 756e12, 51.2e12, 2.0e12},
    {"NVIDIA A100-SXM4-80GB", 312e12, 19.5e12, 2.039e12},
    {"NVIDIA A100 80GB PCIe", 312e12, 19.5e12, 1.935e12},
    {"NVIDIA A100-SXM4-40GB", 312e12, 19.5e12, 1.555e12},
    {"NVIDIA A100-PCIE-40GB", 312e12, 19.5e12, 1.555e12},
    {"NVIDIA B200", 2250e12, 75e12, 8.0e12},
}};

// None for a device that is not listed.
inline std::optional<Peak> peak_of(std::string_view name) {
  for (const Peak& peak : kPeaks) {
    if (peak.name == name) return peak;
  }
  return std::nullopt;
}

}  // namespace harness::cuda
