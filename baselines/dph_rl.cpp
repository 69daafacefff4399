#include "baselines/dph_rl.h"

#include <torch/types.h>

#include "harness/core/error.h"

namespace baselines {

namespace {

class DphRl : public harness::Method {
 public:
  explicit DphRl(harness::MethodKeys& keys)
      : eta_(keys.number("eta", 0.01, 0, 1e6, "weight of the divergence from the base model")),
        divergence_(keys.text("divergence", "kl", {"kl", "kl_plain", "js"}, "KL(base || policy), with u or plain, or JS")),
        samples_(keys.integer("samples", 8, 1, 1024, "answers of the base model to each problem")),
        mastered_(keys.integer("mastered", 6, 1, 1024, "right ones among them that make a problem mastered")),
        right_alone_(keys.boolean("right_alone", false, "of a mastered problem right answers alone are rehearsed")) {
    if (mastered_ > samples_) {
      throw harness::Error("method dph_rl: expected method.mastered at most method.samples, found {} and {}", mastered_,
                           samples_);
    }
  }
  [[nodiscard]] std::string name() const override { return "dph_rl"; }
  [[nodiscard]] harness::Needs needs() const override {
    return {.stored_samples = samples_, .stored_right = mastered_, .stored_right_alone = right_alone_};
  }
  [[nodiscard]] bool shapes_tokens() const override { return true; }
  [[nodiscard]] bool adds_terms() const override { return true; }

  void shape_token_advantages(harness::TokenBatch& batch) const override {
    batch.advantages = batch.advantages * (1 - batch.stored);
  }

  [[nodiscard]] torch::Tensor extra_terms(const harness::LossSettings&, const harness::LossInputs& inputs,
                                          harness::LossSums&) const override {
    const torch::Tensor log_u = harness::log_ratio(inputs), u = log_u.exp();
    torch::Tensor divergence = -log_u;
    if (divergence_ == "kl") divergence = u - 1 - log_u;
    if (divergence_ == "js") divergence = u * log_u - (u + 1) * ((u + 1) / 2).log();
    return eta_ * inputs.stored * divergence;
  }

 private:
  double eta_;
  std::string divergence_;
  int64_t samples_, mastered_;
  bool right_alone_;
};

}  // namespace

harness::MethodEntry dph_rl_entry() {
  return {.name = "dph_rl",
          .title = "DPH-RL",
          .source = "arXiv 2509.07430",
          .overrides = {"loss.kl_coef=0"},
          .make = [](harness::MethodKeys& keys) { return std::make_unique<DphRl>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
