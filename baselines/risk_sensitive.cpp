#include "baselines/risk_sensitive.h"

#include <cmath>

#include "harness/rl/advantages.h"

namespace baselines {

namespace {

class RiskSensitive : public harness::Method {
 public:
  explicit RiskSensitive(harness::MethodKeys& keys)
      : beta_(keys.number("beta", 2.0, -20, 20, "risk that is sought (above 0) or shunned (below)")) {}
  [[nodiscard]] std::string name() const override { return "risk_sensitive"; }
  [[nodiscard]] bool owns_advantages() const override { return true; }

  void group_advantages(std::span<const harness::Sample>, std::span<const double> scores,
                        std::span<double> advantages) const override {
    harness::centred_advantages(scores, advantages);
    if (beta_ == 0 || harness::all_equal(scores)) return;
    double mean = 0;
    for (const double score : scores) mean += std::exp(beta_ * score) / static_cast<double>(scores.size());
    for (size_t i = 0; i < scores.size(); ++i) advantages[i] = (std::exp(beta_ * scores[i]) / mean - 1) / beta_;
  }

 private:
  double beta_;
};

}  // namespace

harness::MethodEntry risk_sensitive_entry() {
  return {.name = "risk_sensitive",
          .title = "Risk-sensitive GRPO",
          .source = "arXiv 2509.24261",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<RiskSensitive>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
