#include "baselines/unlikeliness.h"

#include <algorithm>
#include <numeric>

namespace baselines {

namespace {

class Unlikeliness : public harness::Method {
 public:
  explicit Unlikeliness(harness::MethodKeys& keys)
      : beta_(keys.number("beta", 0.25, 0, 1, "share of the reward that likely responses lose")) {}
  [[nodiscard]] std::string name() const override { return "unlikeliness"; }
  [[nodiscard]] bool shapes_rewards() const override { return true; }

  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics&) override {
    harness::for_each_group(step.samples, [&](size_t begin, size_t end) {
      std::vector<size_t> order(end - begin);
      std::iota(order.begin(), order.end(), begin);
      std::stable_sort(order.begin(), order.end(),
                       [&](size_t a, size_t b) { return step.samples[a].mean_log_prob < step.samples[b].mean_log_prob; });
      for (size_t rank = 0; rank < order.size(); ++rank) {
        scores[order[rank]] *= 1 - beta_ * static_cast<double>(rank) / static_cast<double>(order.size());
      }
    });
  }

 private:
  double beta_;
};

}  // namespace

harness::MethodEntry unlikeliness_entry() {
  return {.name = "unlikeliness",
          .title = "Unlikeliness reward",
          .source = "arXiv 2506.02355",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<Unlikeliness>(keys); }};
}

}  // namespace baselines
