#include "baselines/cue_grpo.h"

#include <algorithm>
#include <cmath>

#include "baselines/partition.h"

namespace baselines {

namespace {

constexpr double kLeast = 0.3, kMost = 3;  // weights of the paper

class CueGrpo : public harness::Method {
 public:
  explicit CueGrpo(harness::MethodKeys& keys)
      : alpha_(keys.number("alpha", 1.0, 0, 10, "exponent: the weight goes with (class size)^-alpha")),
        classes_(keys, "partition", name()) {}
  [[nodiscard]] std::string name() const override { return "cue_grpo"; }
  [[nodiscard]] harness::Needs needs() const override { return classes_.needs(); }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }

  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double>,
                          std::span<double> advantages) const override {
    const std::vector<int64_t> sizes = classes_.sizes(group, right_ones(group));
    std::vector<double> rarities;
    double total = 0, right = 0;
    for (const int64_t size : sizes) {
      rarities.push_back(size > 0 ? std::pow(static_cast<double>(size), -alpha_) : 0);
      total += rarities.back();
      right += size > 0 ? 1 : 0;
    }
    for (size_t i = 0; i < group.size(); ++i) {
      if (sizes[i] > 0) advantages[i] *= std::clamp(right * rarities[i] / total, kLeast, kMost);
    }
  }

 private:
  double alpha_;
  Partition classes_;
};

}  // namespace

harness::MethodEntry cue_grpo_entry() {
  return {.name = "cue_grpo",
          .title = "Cue-GRPO",
          .source = "arXiv 2608.03467",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<CueGrpo>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
