#include "baselines/uniqueness.h"

#include <cmath>

#include "baselines/partition.h"

namespace baselines {

namespace {

class Uniqueness : public harness::Method {
 public:
  explicit Uniqueness(harness::MethodKeys& keys)
      : alpha_(keys.number("alpha", 1.0, 0, 1, "exponent: the weight is (cluster size)^-alpha")),
        strategies_(keys, "strategy", name()) {}
  [[nodiscard]] std::string name() const override { return "uniqueness"; }
  [[nodiscard]] harness::Needs needs() const override { return strategies_.needs(); }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }

  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double>,
                          std::span<double> advantages) const override {
    const std::vector<int64_t> sizes = strategies_.sizes(group, right_ones(group));
    for (size_t i = 0; i < group.size(); ++i) {
      if (sizes[i] > 0) advantages[i] *= std::pow(static_cast<double>(sizes[i]), -alpha_);
    }
  }

 private:
  double alpha_;
  Partition strategies_;
};

}  // namespace

harness::MethodEntry uniqueness_entry() {
  return {.name = "uniqueness",
          .title = "Uniqueness-aware RL",
          .source = "arXiv 2601.08763",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<Uniqueness>(keys); }};
}

}  // namespace baselines
