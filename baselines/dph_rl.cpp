#include "baselines/dph_rl.h"

#include <torch/types.h>

#include "harness/core/error.h"

namespace baselines {

namespace {

class DphRl : public harness::Method {
 public:
  explicit DphRl(harness::MethodKeys& keys)
      : eta_(keys.number("eta", 0.01, 0, 1e6, "weight of the divergence from the base model")),
        js_(keys.text("divergence", "kl", {"kl", "js"}, "KL(base || policy) or Jensen-Shannon") == "js"),
        samples_(keys.integer("samples", 8, 1, 1024, "answers of the base model to each problem")),
        mastered_(keys.integer("mastered", 6, 1, 1024, "right ones among them that make a problem mastered")) {
    if (mastered_ > samples_) {
      throw harness::Error("method dph_rl: expected method.mastered at most method.samples, found {} and {}", mastered_,
                           samples_);
    }
  }
  [[nodiscard]] std::string name() const override { return "dph_rl"; }
  [[nodiscard]] harness::Needs needs() const override { return {.stored_samples = samples_, .stored_right = mastered_}; }
  [[nodiscard]] bool shapes_tokens() const override { return true; }
  [[nodiscard]] bool adds_terms() const override { return true; }

  void shape_token_advantages(harness::TokenBatch& batch) const override {
    batch.advantages = batch.advantages * (1 - batch.stored);
  }

  [[nodiscard]] torch::Tensor extra_terms(const harness::LossSettings&, const harness::LossInputs& inputs,
                                          harness::LossSums&) const override {
    const torch::Tensor log_u = harness::log_ratio(inputs), u = log_u.exp();
    const torch::Tensor divergence = js_ ? (u * log_u - (u + 1) * ((u + 1) / 2).log()) / 2 : -log_u;
    return eta_ * inputs.stored * divergence;
  }

 private:
  double eta_;
  bool js_;
  int64_t samples_, mastered_;
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
