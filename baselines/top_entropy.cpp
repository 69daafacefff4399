#include "baselines/top_entropy.h"

#include <torch/types.h>

#include "harness/rl/token_selection.h"

namespace baselines {

namespace {

class TopEntropy : public harness::Method {
 public:
  explicit TopEntropy(harness::MethodKeys& keys) : rho_(keys.number("rho", 0.2, 0, 1, "share of the tokens that count")) {}
  [[nodiscard]] std::string name() const override { return "top_entropy"; }
  [[nodiscard]] harness::Needs needs() const override { return {.current_entropies = true}; }
  [[nodiscard]] bool owns_selection() const override { return true; }
  [[nodiscard]] bool owns_policy_terms() const override { return true; }

  [[nodiscard]] torch::Tensor select_tokens(const harness::TokenBatch& batch) const override {
    const int64_t tokens = batch.mask.ne(0).sum().item<int64_t>();
    return harness::select_largest(batch.current_entropies, batch.mask, harness::share_rounded_up(rho_, tokens),
                                   batch.row_keys);
  }

  [[nodiscard]] torch::Tensor policy_terms(const harness::LossSettings& settings, const harness::LossInputs& inputs,
                                           harness::LossSums& sums) const override {
    return harness::clipped_surrogate(settings, inputs, sums) * inputs.selected;
  }

 private:
  double rho_;
};

}  // namespace

harness::MethodEntry top_entropy_entry() {
  return {.name = "top_entropy",
          .title = "80/20 (top-entropy tokens)",
          .source = "arXiv 2506.01939",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<TopEntropy>(keys); }};
}

}  // namespace baselines
