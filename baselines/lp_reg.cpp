#include "baselines/lp_reg.h"

#include <torch/types.h>

#include <cmath>

#include "harness/rl/token_selection.h"

namespace baselines {

namespace {

class LpReg : public harness::Method {
 public:
  explicit LpReg(harness::MethodKeys& keys)
      : tau_(keys.number("tau", 0.02, 1e-3, 1, "tokens below this probability are noise")),
        beta_(keys.number("beta", 1.0, 0, 1e6, "weight of the KL from the proxy")),
        share_(keys.number("share", 0.01, 0, 1, "share of the tokens with A < 0, the least likely ones, that are protected")),
        relative_(keys.text("threshold", "fixed", {"fixed", "relative"}, "tau is a probability or a share of the largest") ==
                  "relative"),
        full_(keys.text("estimator", "k3", {"k3", "full"}, "KL of the token alone or of the whole place") == "full") {}
  [[nodiscard]] std::string name() const override { return "lp_reg"; }
  // No more than 1 / tau tokens can have a probability of tau; of a share of the largest, the first 4 / tau are looked at.
  [[nodiscard]] harness::Needs needs() const override {
    return {.top_tokens = static_cast<int64_t>((relative_ ? 4 : 1) / tau_), .top_gradient = full_};
  }
  [[nodiscard]] bool adds_terms() const override { return true; }

  void observe(const harness::TokenBatch& batch) override {
    const torch::Tensor falling = batch.old_log_probs.index({(batch.advantages < 0).logical_and(batch.mask > 0)});
    const int64_t count = harness::share_rounded_down(share_, falling.numel());
    threshold_ =
        falling.numel() == 0 || count == 0 ? -INFINITY : std::get<0>(falling.to(torch::kDouble).kthvalue(count)).item<double>();
  }

  [[nodiscard]] torch::Tensor extra_terms(const harness::LossSettings&, const harness::LossInputs& inputs,
                                          harness::LossSums& sums) const override {
    const torch::Tensor& likely = inputs.old_top_log_probs;
    const torch::Tensor old = inputs.old_log_probs, largest = likely.select(2, 0);
    const torch::Tensor floor = std::log(tau_) + (relative_ ? largest : torch::zeros_like(largest));
    const torch::Tensor noise = likely < floor.unsqueeze(2);
    const torch::Tensor protects =
        (inputs.advantages < 0).logical_and(old.to(torch::kDouble) <= threshold_).logical_and(old >= floor);
    const torch::Tensor chosen = protects.to(inputs.mask.dtype()) * inputs.mask;
    sums["protected_fraction"] += chosen.sum().item<double>();
    const torch::Tensor mass = likely.masked_fill(noise, -INFINITY).logsumexp(2, true);
    torch::Tensor divergence;
    if (full_) {
      const torch::Tensor proxy = likely - mass;
      divergence = (proxy.exp() * (proxy - inputs.top_log_probs)).masked_fill(noise, 0).sum(2);
    } else {
      const torch::Tensor d = (old - mass.squeeze(2) - inputs.log_probs).masked_fill(chosen == 0, 0).clamp(-20, 20);
      divergence = d.exp() - d - 1;
    }
    return beta_ * divergence.masked_fill(chosen == 0, 0);
  }

 private:
  double tau_, beta_, share_;
  bool relative_, full_;
  double threshold_ = -INFINITY;  // old log-prob that the least likely tokens of the mini-batch do not exceed
};

}  // namespace

harness::MethodEntry lp_reg_entry() {
  return {.name = "lp_reg",
          .title = "Low-probability regularisation (Lp-Reg)",
          .source = "arXiv 2510.03222",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<LpReg>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
