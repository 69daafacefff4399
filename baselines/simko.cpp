#include "baselines/simko.h"

#include <torch/types.h>

namespace baselines {

namespace {

class SimKo : public harness::Method {
 public:
  explicit SimKo(harness::MethodKeys& keys)
      : k_(keys.integer("k", 3, 1, 1024, "most likely tokens of a place that share the gradient")),
        quantile_(keys.number("quantile", 0.8, 0, 1, "of a response's entropies: tokens above it are changed")),
        a_(keys.number("a", 0.01, 0, 1, "share of the gradient that goes to the most likely tokens")),
        boost_(keys.number("boost", 1.1, 0, 100, "factor of A where a wrong token is the most likely")) {}
  [[nodiscard]] std::string name() const override { return "simko"; }
  [[nodiscard]] harness::Needs needs() const override {
    return {.sampling_entropies = true, .top_tokens = k_, .top_gradient = true};
  }
  [[nodiscard]] bool shapes_tokens() const override { return true; }
  [[nodiscard]] bool owns_selection() const override { return true; }
  [[nodiscard]] bool owns_policy_terms() const override { return true; }

  void shape_token_advantages(harness::TokenBatch& batch) const override {
    const torch::Tensor boosted = (batch.advantages < 0).to(batch.mask.dtype()) * batch.most_likely * select_tokens(batch);
    batch.advantages = batch.advantages * (1 + (boost_ - 1) * boosted);
  }

  // The tokens above their response's quantile.
  [[nodiscard]] torch::Tensor select_tokens(const harness::TokenBatch& batch) const override {
    torch::Tensor selected = torch::zeros_like(batch.mask);
    for (int64_t row = 0; row < batch.mask.size(0); ++row) {
      const torch::Tensor entropies = batch.sampling_entropies[row].index({batch.mask[row] > 0});
      if (entropies.numel() == 0) continue;
      selected[row] = (batch.sampling_entropies[row] > entropies.quantile(quantile_)).to(batch.mask.dtype()) * batch.mask[row];
    }
    return selected;
  }

  [[nodiscard]] torch::Tensor policy_terms(const harness::LossSettings& settings, const harness::LossInputs& inputs,
                                           harness::LossSums& sums) const override {
    // A log-prob with the value of the token's own and the mixed gradient gives the mixed ratio.
    const torch::Tensor likely = inputs.top_log_probs.slice(2, 0, k_).mean(2);
    const torch::Tensor share = a_ * inputs.selected * (inputs.advantages > 0).to(inputs.mask.dtype());
    harness::LossInputs mixed = inputs;
    mixed.log_probs = inputs.log_probs + share * ((likely - likely.detach()) - (inputs.log_probs - inputs.log_probs.detach()));
    return harness::clipped_surrogate(settings, mixed, sums);
  }

 private:
  int64_t k_;
  double quantile_, a_, boost_;
};

}  // namespace

harness::MethodEntry simko_entry() {
  return {.name = "simko",
          .title = "SimKO",
          .source = "arXiv 2510.14807",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<SimKo>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
