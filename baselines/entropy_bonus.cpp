#include "baselines/entropy_bonus.h"

#include <torch/types.h>

namespace baselines {

namespace {

class EntropyBonus : public harness::Method {
 public:
  explicit EntropyBonus(harness::MethodKeys& keys) : beta_(keys.number("beta", 1e-3, 0, 1, "weight of the entropy")) {}
  [[nodiscard]] std::string name() const override { return "entropy_bonus"; }
  [[nodiscard]] harness::Needs needs() const override { return {.entropy_gradient = true}; }
  [[nodiscard]] bool adds_terms() const override { return true; }
  [[nodiscard]] torch::Tensor extra_terms(const harness::LossSettings&, const harness::LossInputs& inputs,
                                          harness::LossSums&) const override {
    return -beta_ * inputs.entropies;
  }

 private:
  double beta_;
};

}  // namespace

harness::MethodEntry entropy_bonus_entry() {
  return {
      .name = "entropy_bonus", .title = "Entropy bonus", .source = "arXiv 1707.06347", .make = [](harness::MethodKeys& keys) {
        return std::make_unique<EntropyBonus>(keys);
      }};
}

}  // namespace baselines
