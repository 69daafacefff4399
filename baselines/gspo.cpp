#include "baselines/gspo.h"

#include <torch/types.h>

namespace baselines {

namespace {

class Gspo : public harness::Method {
 public:
  [[nodiscard]] std::string name() const override { return "gspo"; }
  [[nodiscard]] bool owns_policy_terms() const override { return true; }

  [[nodiscard]] torch::Tensor policy_terms(const harness::LossSettings& settings, const harness::LossInputs& inputs,
                                           harness::LossSums& sums) const override {
    const torch::Tensor& mask = inputs.mask;
    const torch::Tensor d = (inputs.log_probs - inputs.old_log_probs).masked_fill(mask == 0, 0);
    const torch::Tensor mean = d.sum(1, true) / mask.sum(1, true).clamp_min(1);  // [B, 1]
    const torch::Tensor ratio = mean.clamp(-20, 20).exp().expand_as(mask);
    const torch::Tensor unclipped = -inputs.advantages * ratio;
    const torch::Tensor clipped = -inputs.advantages * ratio.clamp(1 - settings.clip_low, 1 + settings.clip_high);
    const torch::Tensor is_clipped = clipped.gt(unclipped).to(mask.dtype()) * mask;
    sums["clip_fraction_low"] += (is_clipped * (inputs.advantages < 0)).sum().item<double>();
    sums["clip_fraction_high"] += (is_clipped * (inputs.advantages > 0)).sum().item<double>();
    return torch::maximum(unclipped, clipped);
  }
};

}  // namespace

harness::MethodEntry gspo_entry() {
  return {.name = "gspo",
          .title = "GSPO",
          .source = "arXiv 2507.18071",
          .overrides = {"loss.clip_low=3e-4", "loss.clip_high=4e-4"},
          .make = [](harness::MethodKeys&) { return std::make_unique<Gspo>(); },
          .base = "grpo"};
}

}  // namespace baselines
