#include "harness/model/rope.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/core/error.h"

namespace harness {

namespace {

// base^(2i / head_dim), [head_dim / 2]
torch::Tensor position_frequencies(double base, int64_t head_dim) {
  const auto exponents = torch::arange(0, head_dim, 2, torch::kInt64).to(torch::kFloat) / static_cast<double>(head_dim);
  return torch::pow(torch::Scalar(base), exponents);
}

torch::Tensor llama3_frequencies(const RopeScaling& scaling, const torch::Tensor& plain) {
  const auto trained = static_cast<double>(scaling.original_max_positions);
  const double longest = trained / scaling.low_freq_factor;
  const double shortest = trained / scaling.high_freq_factor;
  const auto wavelength = (2 * std::numbers::pi) / plain;
  auto stretched = torch::where(wavelength > longest, plain / scaling.factor, plain);
  const auto smooth = (trained / wavelength - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
  const auto blended = (1 - smooth) * stretched / scaling.factor + smooth * stretched;
  const auto between = torch::logical_not(wavelength < shortest) * torch::logical_not(wavelength > longest);
  return torch::where(between, blended, stretched);
}

// The dimension that turns `rotations` times within the trained length (Peng et al. 2023, equation 17).
double yarn_dimension(double rotations, int64_t head_dim, double base, double trained) {
  return (static_cast<double>(head_dim) * std::log(trained / (rotations * 2 * std::numbers::pi))) / (2 * std::log(base));
}

torch::Tensor yarn_frequencies(const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  const auto trained = static_cast<double>(scaling.original_max_positions);
  double low = yarn_dimension(scaling.beta_fast, config.head_dim, config.rope_theta, trained);
  double high = yarn_dimension(scaling.beta_slow, config.head_dim, config.rope_theta, trained);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(config.head_dim - 1));
  if (low == high) high += 0.001;  // the reference's guard against dividing by zero
  const auto powers = position_frequencies(config.rope_theta, config.head_dim);
  const auto extrapolated = 1.0 / powers;
  const auto interpolated = 1.0 / (scaling.factor * powers);
  const auto ramp = torch::clamp((torch::arange(config.head_dim / 2, torch::kFloat) - low) / (high - low), 0, 1);
  const auto keep = 1 - ramp;
  return interpolated * (1 - keep) + extrapolated * keep;
}

// Beyond the trained length the base grows with the sequence. The reference computes it in single precision from the length's
// tensor, and in double precision at the trained length; both are followed here.
torch::Tensor dynamic_powers(const ModelConfig& config, int64_t length) {
  if (length <= config.max_positions) return position_frequencies(config.rope_theta, config.head_dim);
  const double factor = config.rope_scaling.factor;
  const auto dim = static_cast<double>(config.head_dim);
  const auto reach = torch::tensor(static_cast<float>(length)) * factor / static_cast<double>(config.max_positions);
  const auto base = torch::pow(reach - (factor - 1), dim / (dim - 2)) * config.rope_theta;
  const auto exponents = torch::arange(0, config.head_dim, 2, torch::kInt64).to(torch::kFloat) / dim;
  return torch::pow(base, exponents);
}

double yarn_mscale(double factor, double mscale) { return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0; }

}  // namespace

std::vector<float> rope_inverse_frequencies(const ModelConfig& config, int64_t length) {
  const torch::NoGradGuard no_grad;
  const RopeScaling& scaling = config.rope_scaling;
  torch::Tensor frequencies;
  if (scaling.type == "yarn") {
    frequencies = yarn_frequencies(config);
  } else if (scaling.type == "dynamic") {
    frequencies = 1.0 / dynamic_powers(config, length);
  } else {
    frequencies = 1.0 / position_frequencies(config.rope_theta, config.head_dim);
    if (scaling.type == "linear") frequencies = frequencies / scaling.factor;
    if (scaling.type == "llama3") frequencies = llama3_frequencies(scaling, frequencies);
  }
  frequencies = frequencies.contiguous();
  MEDSBENCH_CHECK(frequencies.scalar_type() == torch::kFloat && frequencies.numel() == config.head_dim / 2,
                  "inverse frequencies: {} numbers for head_dim {}", frequencies.numel(), config.head_dim);
  const float* first = frequencies.const_data_ptr<float>();
  return {first, first + frequencies.numel()};
}

double rope_attention_factor(const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.type != "yarn") return 1.0;
  if (scaling.attention_factor) return *scaling.attention_factor;
  if (scaling.mscale.value_or(0) != 0 && scaling.mscale_all_dim.value_or(0) != 0) {
    return yarn_mscale(scaling.factor, *scaling.mscale) / yarn_mscale(scaling.factor, *scaling.mscale_all_dim);
  }
  return yarn_mscale(scaling.factor, 1.0);
}

}  // namespace harness
