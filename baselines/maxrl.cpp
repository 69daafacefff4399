#include "baselines/maxrl.h"

#include <algorithm>

#include "harness/rl/advantages.h"

namespace baselines {

namespace {

class MaxRl : public harness::Method {
 public:
  [[nodiscard]] std::string name() const override { return "maxrl"; }
  [[nodiscard]] bool owns_advantages() const override { return true; }
  void group_advantages(std::span<const harness::Sample>, std::span<const double> scores,
                        std::span<double> advantages) const override {
    const double mean = harness::mean_score(scores);
    harness::centred_advantages(scores, advantages);
    for (double& advantage : advantages) advantage = mean > 0 ? advantage / mean : 0;
  }
};

}  // namespace

harness::MethodEntry maxrl_entry() {
  return {.name = "maxrl", .title = "MaxRL", .source = "arXiv 2602.02710", .make = [](harness::MethodKeys&) {
            return std::make_unique<MaxRl>();
          }};
}

}  // namespace baselines
