#include "baselines/example/sign_advantage.h"

#include "harness/rl/advantages.h"

namespace baselines {

namespace {

class SignAdvantage : public harness::Method {
 public:
  explicit SignAdvantage(harness::MethodKeys& keys) : scale_(keys.number("scale", 1.0, 0, 10, "size of an advantage")) {}
  [[nodiscard]] std::string name() const override { return "sign_advantage"; }
  [[nodiscard]] bool owns_advantages() const override { return true; }
  void group_advantages(std::span<const harness::Sample>, std::span<const double> scores,
                        std::span<double> advantages) const override {
    harness::centred_advantages(scores, advantages);
    for (double& a : advantages) a = a == 0 ? 0 : (a > 0 ? scale_ : -scale_);
  }

 private:
  double scale_;
};

}  // namespace

harness::MethodEntry sign_advantage_entry() {
  return {.name = "sign_advantage",
          .title = "Sign advantage",
          .source = "CONTRIBUTING.md",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<SignAdvantage>(keys); },
          .base = "dapo"};
}

}  // namespace baselines
