#include "baselines/adaptive_entropy.h"

#include <torch/types.h>

#include <algorithm>

#include "baselines/state_file.h"
#include "harness/core/error.h"

namespace baselines {

namespace {

class AdaptiveEntropy : public harness::Method {
 public:
  explicit AdaptiveEntropy(harness::MethodKeys& keys)
      : target_(keys.number("target", 0.2, 0, 100, "entropy that the controller aims at, nats a token")),
        delta_(keys.number("delta", 1e-4, 0, 1, "change of the coefficient after an update")),
        beta_max_(keys.number("beta_max", 5e-3, 0, 1, "largest coefficient")) {}
  [[nodiscard]] std::string name() const override { return "adaptive_entropy"; }
  [[nodiscard]] harness::Needs needs() const override { return {.sampling_entropies = true, .entropy_gradient = true}; }
  [[nodiscard]] bool adds_terms() const override { return true; }

  void observe(const harness::TokenBatch& batch) override {
    const torch::Tensor tokens = batch.mask.sum().clamp_min(1);
    const double entropy = ((batch.sampling_entropies * batch.mask).sum() / tokens).item<double>();
    active_ = entropy <= target_;
  }

  [[nodiscard]] torch::Tensor extra_terms(const harness::LossSettings&, const harness::LossInputs& inputs,
                                          harness::LossSums&) const override {
    return (active_ ? -beta_ : 0.0) * inputs.entropies;
  }

  void after_update(const harness::Metrics& metrics) override {
    const auto entropy = metrics.find("entropy");
    MEDSBENCH_CHECK(entropy != metrics.end(), "the metrics of an update lack its entropy");
    if (entropy->second < target_) beta_ += delta_;
    if (entropy->second > target_) beta_ -= delta_;
    beta_ = std::clamp(beta_, 0.0, beta_max_);
  }

  void save_state(const std::string& folder, const std::string& /*previous*/) const override {
    write_state(folder, name(), {{"beta", beta_}});
  }
  void load_state(const std::string& folder) override { beta_ = harness::number_field(read_state(folder, name()), "beta"); }
  void report_state(harness::Metrics& metrics) const override { metrics["entropy_coefficient"] = beta_; }

 private:
  double target_, delta_, beta_max_;
  double beta_ = 0;
  bool active_ = false;
};

}  // namespace

harness::MethodEntry adaptive_entropy_entry() {
  return {.name = "adaptive_entropy",
          .title = "Adaptive entropy bonus",
          .source = "arXiv 2505.22312",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<AdaptiveEntropy>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
