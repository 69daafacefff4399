#include "baselines/bbg.h"

#include <algorithm>

#include "baselines/pass_k.h"

namespace baselines {

namespace {

class Bbg : public harness::Method {
 public:
  explicit Bbg(harness::MethodKeys& keys)
      : k_(keys.integer("k", 16, 1, 1024, "k of the pass@k whose gain counts")),
        tau_(keys.number("tau", 0.01, 0, 1, "groups whose gain is below tau (G + 1) count for nothing")) {}
  [[nodiscard]] std::string name() const override { return "bbg"; }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }

  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double>,
                          std::span<double> advantages) const override {
    const int64_t right = count_right(group);
    const auto size = static_cast<double>(group.size());
    const double own = gain(size, static_cast<double>(right));
    const double weight = own < tau_ * (size + 1) ? 0 : own / gain(size, 1);
    if (right == 0) std::fill(advantages.begin(), advantages.end(), -1.0);
    for (double& advantage : advantages) advantage *= weight;
  }

 private:
  // u(c) for c right responses of a group.
  [[nodiscard]] double gain(double size, double right) const {
    auto gain = static_cast<double>(k_);
    for (int64_t j = 1; j < k_; ++j) gain *= (size - right + static_cast<double>(j)) / (size + 1 + static_cast<double>(j));
    return gain;
  }

  int64_t k_;
  double tau_;
};

}  // namespace

harness::MethodEntry bbg_entry() {
  return {.name = "bbg",
          .title = "Bayesian boundary gating (BBG)",
          .source = "arXiv 2606.15455",
          .overrides = {"filter.enabled=false"},
          .make = [](harness::MethodKeys& keys) { return std::make_unique<Bbg>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
