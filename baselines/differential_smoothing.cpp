#include "baselines/differential_smoothing.h"

namespace baselines {

namespace {

class DifferentialSmoothing : public harness::Method {
 public:
  explicit DifferentialSmoothing(harness::MethodKeys& keys)
      : tau_(keys.number("tau", 0.01, 0, 100, "weight of a right response's log-prob")),
        alpha_(keys.number("alpha", 0.01, 0, 100, "weight of a wrong response's log-prob")) {}
  [[nodiscard]] std::string name() const override { return "differential_smoothing"; }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }

  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double>,
                          std::span<double> advantages) const override {
    for (size_t i = 0; i < group.size(); ++i) {
      const double log_prob = group[i].mean_log_prob * static_cast<double>(group[i].tokens);
      advantages[i] += (group[i].correct ? -tau_ : alpha_) * log_prob;
    }
  }

 private:
  double tau_, alpha_;
};

}  // namespace

harness::MethodEntry differential_smoothing_entry() {
  return {.name = "differential_smoothing",
          .title = "Differential smoothing",
          .source = "arXiv 2511.19942",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<DifferentialSmoothing>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
