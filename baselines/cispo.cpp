#include "baselines/cispo.h"

#include <torch/types.h>

#include <cmath>

namespace baselines {

namespace {

class Cispo : public harness::Method {
 public:
  explicit Cispo(harness::MethodKeys& keys) : high_(keys.number("high", 5.0, 0, INFINITY, "cap of the ratio")) {}
  [[nodiscard]] std::string name() const override { return "cispo"; }
  [[nodiscard]] bool owns_policy_terms() const override { return true; }

  [[nodiscard]] torch::Tensor policy_terms(const harness::LossSettings&, const harness::LossInputs& inputs,
                                           harness::LossSums& sums) const override {
    const torch::Tensor ratio = harness::log_ratio(inputs).detach().exp();
    sums["clip_fraction_high"] += (ratio.gt(high_).to(inputs.mask.dtype()) * inputs.mask).sum().item<double>();
    return -ratio.clamp_max(high_) * inputs.advantages * inputs.log_probs.masked_fill(inputs.mask == 0, 0);
  }

 private:
  double high_;
};

}  // namespace

harness::MethodEntry cispo_entry() {
  return {.name = "cispo", .title = "CISPO", .source = "arXiv 2506.13585", .make = [](harness::MethodKeys& keys) {
            return std::make_unique<Cispo>(keys);
          }};
}

}  // namespace baselines
