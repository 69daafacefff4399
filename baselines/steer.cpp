#include "baselines/steer.h"

#include <torch/types.h>

#include <cmath>

namespace baselines {

namespace {

constexpr double kEdge = 1e-8, kLeastMaximum = 0.02;  // of the released code

class Steer : public harness::Method {
 public:
  explicit Steer(harness::MethodKeys& keys)
      : lambda_min_(keys.number("lambda_min", 0.7, 1e-6, 1, "weight of the token that changes the entropy most")),
        as_code_(keys.text("change", "formula", {"formula", "code"}, "estimate of a token's change of entropy") == "code"),
        settings_(harness::read_loss_settings(keys.reader(), 0)) {}
  [[nodiscard]] std::string name() const override { return "steer"; }
  [[nodiscard]] harness::Needs needs() const override { return {.current_log_probs = true, .current_entropies = true}; }
  [[nodiscard]] bool shapes_tokens() const override { return true; }

  void shape_token_advantages(harness::TokenBatch& batch) const override {
    const torch::Tensor change =
        (as_code_ ? change_of_code(batch) : change_of_formula(batch)).abs().masked_fill(batch.mask == 0, 0);
    torch::Tensor largest = change.max();
    if (as_code_) largest = largest.clamp_min(kLeastMaximum);
    if (largest.item<double>() == 0) return;
    batch.advantages = batch.advantages * torch::exp(std::log(lambda_min_) * change / largest);
  }

 private:
  [[nodiscard]] torch::Tensor change_of_formula(const harness::TokenBatch& batch) const {
    const torch::Tensor p = batch.current_log_probs.exp(), &advantages = batch.advantages;
    const torch::Tensor ratio = (batch.current_log_probs - batch.old_log_probs).clamp(-20, 20).exp();
    torch::Tensor clipped = (advantages > 0).logical_and(ratio > 1 + settings_.clip_high);
    clipped = clipped.logical_or((advantages < 0).logical_and(ratio < 1 - settings_.clip_low));
    if (settings_.dual_clip > 0) {
      clipped = clipped.logical_or((advantages < 0).logical_and(ratio > settings_.dual_clip));
    }
    const torch::Tensor change = ratio * advantages * p * (1 - p) * (batch.current_log_probs + batch.current_entropies);
    return change.masked_fill(clipped, 0);
  }

  [[nodiscard]] static torch::Tensor change_of_code(const harness::TokenBatch& batch) {
    const torch::Tensor p = batch.current_log_probs.exp().clamp(kEdge, 1 - kEdge);
    const torch::Tensor old = batch.old_log_probs.exp().clamp(kEdge, 1);
    return batch.advantages / old * p * (1 - p) * (p.log() + batch.current_entropies);
  }

  double lambda_min_;
  bool as_code_;
  harness::LossSettings settings_;
};

}  // namespace

harness::MethodEntry steer_entry() {
  return {.name = "steer",
          .title = "STEER",
          .source = "arXiv 2510.10150",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<Steer>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
