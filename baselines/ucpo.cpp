#include "baselines/ucpo.h"

#include <algorithm>
#include <cmath>

namespace baselines {

namespace {

constexpr double kSmallestShare = 1e-6;  // of the released code

class Ucpo : public harness::Method {
 public:
  explicit Ucpo(harness::MethodKeys& keys)
      : tau_(keys.number("tau", 0.2, 0, 1, "share of the advantage that goes by inverse likelihood")),
        by_sum_(keys.text("log_prob", "mean", {"mean", "sum"}, "likelihood of a response: of its tokens' log-probs") == "sum") {
  }
  [[nodiscard]] std::string name() const override { return "ucpo"; }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }

  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double>,
                          std::span<double> advantages) const override {
    std::vector<size_t> right;
    double largest = -INFINITY, total = 0, inverses = 0;
    for (size_t i = 0; i < group.size(); ++i) {
      if (!group[i].correct) continue;
      right.push_back(i);
      largest = std::max(largest, log_prob(group[i]));
    }
    for (const size_t i : right) total += std::exp(log_prob(group[i]) - largest);
    const auto inverse = [&](size_t i) { return 1 / std::max(std::exp(log_prob(group[i]) - largest) / total, kSmallestShare); };
    for (const size_t i : right) inverses += inverse(i);
    const auto n = static_cast<double>(right.size());
    for (const size_t i : right) advantages[i] *= n * ((1 - tau_) / n + tau_ * inverse(i) / inverses);
  }

 private:
  [[nodiscard]] double log_prob(const harness::Sample& sample) const {
    return sample.mean_log_prob * (by_sum_ ? static_cast<double>(sample.tokens) : 1.0);
  }

  double tau_;
  bool by_sum_;
};

}  // namespace

harness::MethodEntry ucpo_entry() {
  return {.name = "ucpo", .title = "UCPO", .source = "arXiv 2605.00365", .make = [](harness::MethodKeys& keys) {
            return std::make_unique<Ucpo>(keys);
          }};
}

}  // namespace baselines
