#include "baselines/clip_cov.h"

#include <torch/types.h>

#include <cmath>

#include "harness/core/error.h"
#include "harness/rl/token_selection.h"

namespace baselines {

namespace {

class ClipCov : public harness::Method {
 public:
  explicit ClipCov(harness::MethodKeys& keys)
      : ratio_(keys.number("ratio", 2e-4, 0, 1, "share of the tokens whose gradient is dropped")),
        cov_low_(keys.number("cov_low", 1.0, -INFINITY, INFINITY, "only tokens with a covariance above it")),
        cov_high_(keys.number("cov_high", 5.0, -INFINITY, INFINITY, "only tokens with a covariance below it")),
        settings_(harness::read_loss_settings(keys.reader(), 0)) {
    if (cov_low_ >= cov_high_) {
      throw harness::Error("method clip_cov: expected method.cov_low below method.cov_high, found {} and {}", cov_low_,
                           cov_high_);
    }
  }
  [[nodiscard]] std::string name() const override { return "clip_cov"; }
  [[nodiscard]] harness::Needs needs() const override { return {.current_log_probs = true}; }
  [[nodiscard]] bool owns_selection() const override { return true; }
  [[nodiscard]] bool owns_policy_terms() const override { return true; }

  [[nodiscard]] torch::Tensor select_tokens(const harness::TokenBatch& batch) const override {
    const torch::Tensor covariance = harness::token_covariance(batch.advantages, batch.current_log_probs, batch.mask);
    const torch::Tensor ratio =
        (batch.current_log_probs - batch.old_log_probs).masked_fill(batch.mask == 0, 0).clamp(-20, 20).exp();
    const torch::Tensor unclipped = -batch.advantages * ratio;
    const torch::Tensor clipped = -batch.advantages * ratio.clamp(1 - settings_.clip_low, 1 + settings_.clip_high);
    const torch::Tensor eligible = batch.mask.ne(0)
                                       .logical_and(clipped <= unclipped)
                                       .logical_and(covariance > cov_low_)
                                       .logical_and(covariance < cov_high_)
                                       .to(batch.mask.options());
    const int64_t tokens = batch.mask.ne(0).sum().item<int64_t>();
    return harness::select_random(eligible, harness::share_rounded_down(ratio_, tokens), batch.row_keys, "clip_cov",
                                  batch.update);
  }

  [[nodiscard]] torch::Tensor policy_terms(const harness::LossSettings& settings, const harness::LossInputs& inputs,
                                           harness::LossSums& sums) const override {
    return harness::clipped_surrogate(settings, inputs, sums) * (1 - inputs.selected);
  }

 private:
  double ratio_, cov_low_, cov_high_;
  harness::LossSettings settings_;
};

}  // namespace

harness::MethodEntry clip_cov_entry() {
  return {.name = "clip_cov",
          .title = "Clip-Cov",
          .source = "arXiv 2505.22617",
          .overrides = {"loss.clip_low=1.0", "loss.clip_high=1.0"},
          .make = [](harness::MethodKeys& keys) { return std::make_unique<ClipCov>(keys); }};
}

}  // namespace baselines
