#include "baselines/qae.h"

#include <algorithm>
#include <cmath>

#include "harness/rl/advantages.h"

namespace baselines {

namespace {

class Qae : public harness::Method {
 public:
  explicit Qae(harness::MethodKeys& keys)
      : quantile_(keys.number("quantile", 0.4, 0, 1, "share of the group's scores that the baseline is not below")),
        interpolated_(keys.boolean("interpolated", false, "between the two scores around the quantile, as the released code")) {
  }
  [[nodiscard]] std::string name() const override { return "qae"; }
  [[nodiscard]] bool owns_advantages() const override { return true; }

  void group_advantages(std::span<const harness::Sample>, std::span<const double> scores,
                        std::span<double> advantages) const override {
    std::vector<double> sorted(scores.begin(), scores.end());
    std::sort(sorted.begin(), sorted.end());
    const double baseline = interpolated_ ? between(sorted) : lowest_covering(sorted);
    const double spread = harness::score_spread(scores) + harness::kAdvantageEpsilon;
    for (size_t i = 0; i < scores.size(); ++i) advantages[i] = (scores[i] - baseline) / spread;
  }

 private:
  [[nodiscard]] double lowest_covering(const std::vector<double>& sorted) const {
    // Less a hair, because 0.7 * 10 is above 7.
    const double rank = std::ceil(quantile_ * static_cast<double>(sorted.size()) - 1e-9);
    return sorted[static_cast<size_t>(std::max(1.0, rank)) - 1];
  }
  [[nodiscard]] double between(const std::vector<double>& sorted) const {
    const double place = quantile_ * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(place);
    const double above = sorted[std::min(below + 1, sorted.size() - 1)];
    return sorted[below] + (place - static_cast<double>(below)) * (above - sorted[below]);
  }

  double quantile_;
  bool interpolated_;
};

}  // namespace

harness::MethodEntry qae_entry() {
  return {
      .name = "qae", .title = "Quantile advantage (QAE)", .source = "arXiv 2509.22611", .make = [](harness::MethodKeys& keys) {
        return std::make_unique<Qae>(keys);
      }};
}

}  // namespace baselines
