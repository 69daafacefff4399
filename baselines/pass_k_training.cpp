#include "baselines/pass_k_training.h"

#include <cmath>

#include "baselines/pass_k.h"

namespace baselines {

namespace {

class PassKTraining : public harness::Method {
 public:
  explicit PassKTraining(harness::MethodKeys& keys) : k_(keys.integer("k", 4, 1, 1024, "responses of a pass@k group")) {}
  [[nodiscard]] std::string name() const override { return "pass_k_training"; }
  [[nodiscard]] bool owns_advantages() const override { return true; }
  [[nodiscard]] bool reads_scores() const override { return false; }
  void group_advantages(std::span<const harness::Sample> group, std::span<const double>,
                        std::span<double> advantages) const override {
    require_group_of(name(), k_, group.size());
    const auto n = static_cast<int64_t>(group.size());
    const int64_t c = count_right(group);
    const double miss = chance_of_missing(n, c, k_);  // 1 - R
    const double sigma = std::sqrt((1 - miss) * miss);
    // A wrong response's own groups of k miss when its k-1 fellows, out of n-1 with c right ones, are all wrong.
    const double wrong_miss = c < n ? chance_of_missing(n - 1, c, k_ - 1) : 0;
    for (size_t i = 0; i < group.size(); ++i) {
      advantages[i] = sigma == 0 ? 0 : (group[i].correct ? miss : miss - wrong_miss) / sigma;
    }
  }

 private:
  int64_t k_;
};

}  // namespace

harness::MethodEntry pass_k_training_entry() {
  return {.name = "pass_k_training",
          .title = "Pass@k training",
          .source = "arXiv 2508.10751",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<PassKTraining>(keys); }};
}

}  // namespace baselines
