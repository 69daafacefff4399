#include "baselines/dr_grpo.h"

#include "harness/rl/advantages.h"

namespace baselines {

namespace {

class DrGrpo : public harness::Method {
 public:
  [[nodiscard]] std::string name() const override { return "dr_grpo"; }
  [[nodiscard]] bool owns_advantages() const override { return true; }
  void group_advantages(std::span<const harness::Sample>, std::span<const double> scores,
                        std::span<double> advantages) const override {
    harness::centred_advantages(scores, advantages);
  }
};

}  // namespace

harness::MethodEntry dr_grpo_entry() {
  return {.name = "dr_grpo",
          .title = "Dr. GRPO",
          .source = "arXiv 2503.20783",
          .overrides = {"loss.aggregation=\"seq_mean_token_sum_norm\""},
          .make = [](harness::MethodKeys&) { return std::make_unique<DrGrpo>(); },
          .base = "grpo"};
}

}  // namespace baselines
