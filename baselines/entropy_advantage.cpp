#include "baselines/entropy_advantage.h"

#include <torch/types.h>

#include <cmath>

namespace baselines {

namespace {

class EntropyAdvantage : public harness::Method {
 public:
  explicit EntropyAdvantage(harness::MethodKeys& keys)
      : alpha_(keys.number("alpha", 0.4, 0, 100, "weight of the entropy")),
        kappa_(keys.number("kappa", 2.0, 1, INFINITY, "the addition is at most |A| / kappa")) {}
  [[nodiscard]] std::string name() const override { return "entropy_advantage"; }
  [[nodiscard]] harness::Needs needs() const override { return {.sampling_entropies = true}; }
  [[nodiscard]] bool shapes_tokens() const override { return true; }
  void shape_token_advantages(harness::TokenBatch& batch) const override {
    const torch::Tensor addition = torch::minimum(alpha_ * batch.sampling_entropies.detach(), batch.advantages.abs() / kappa_);
    batch.advantages = batch.advantages + addition * batch.mask;
  }

 private:
  double alpha_, kappa_;
};

}  // namespace

harness::MethodEntry entropy_advantage_entry() {
  return {.name = "entropy_advantage",
          .title = "Entropy-shaped advantage",
          .source = "arXiv 2506.14758",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<EntropyAdvantage>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
