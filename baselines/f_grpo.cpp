#include "baselines/f_grpo.h"

#include <cmath>

#include "baselines/pass_k.h"

namespace baselines {

namespace {

class FGrpo : public harness::Method {
 public:
  explicit FGrpo(harness::MethodKeys& keys)
      : gamma_(keys.number("gamma", 0.5, 0, 100, "exponent: the weight is (share of wrong responses)^gamma")) {}
  [[nodiscard]] std::string name() const override { return "f_grpo"; }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }

  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double>,
                          std::span<double> advantages) const override {
    const double right = static_cast<double>(count_right(group)) / static_cast<double>(group.size());
    for (double& advantage : advantages) advantage *= std::pow(1 - right, gamma_);
  }

 private:
  double gamma_;
};

}  // namespace

harness::MethodEntry f_grpo_entry() {
  return {.name = "f_grpo", .title = "F-GRPO", .source = "arXiv 2602.06717", .make = [](harness::MethodKeys& keys) {
            return std::make_unique<FGrpo>(keys);
          }};
}

}  // namespace baselines
