#include "baselines/kl_cov.h"

#include <torch/types.h>

#include <cmath>

#include "harness/rl/token_selection.h"

namespace baselines {

namespace {

class KlCov : public harness::Method {
 public:
  explicit KlCov(harness::MethodKeys& keys)
      : fraction_(keys.number("fraction", 2e-3, 0, 1, "share of the tokens that are penalised")),
        beta_(keys.number("beta", 1.0, 0, INFINITY, "weight of |l - l_old| on them")) {}
  [[nodiscard]] std::string name() const override { return "kl_cov"; }
  [[nodiscard]] harness::Needs needs() const override { return {.current_log_probs = true}; }
  [[nodiscard]] bool owns_selection() const override { return true; }
  [[nodiscard]] bool owns_policy_terms() const override { return true; }

  [[nodiscard]] torch::Tensor select_tokens(const harness::TokenBatch& batch) const override {
    const torch::Tensor covariance = harness::token_covariance(batch.advantages, batch.current_log_probs, batch.mask);
    const int64_t tokens = batch.mask.ne(0).sum().item<int64_t>();
    return harness::select_largest(covariance, batch.mask, harness::share_rounded_down(fraction_, tokens), batch.row_keys);
  }

  [[nodiscard]] torch::Tensor policy_terms(const harness::LossSettings&, const harness::LossInputs& inputs,
                                           harness::LossSums&) const override {
    const torch::Tensor d = harness::log_ratio(inputs);
    return -inputs.advantages * d.exp() + beta_ * inputs.selected * d.abs();
  }

 private:
  double fraction_, beta_;
};

}  // namespace

harness::MethodEntry kl_cov_entry() {
  return {.name = "kl_cov", .title = "KL-Cov", .source = "arXiv 2505.22617", .make = [](harness::MethodKeys& keys) {
            return std::make_unique<KlCov>(keys);
          }};
}

}  // namespace baselines
