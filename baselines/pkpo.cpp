#include "baselines/pkpo.h"

#include "baselines/pass_k.h"
#include "harness/rl/advantages.h"

namespace baselines {

namespace {

class Pkpo : public harness::Method {
 public:
  explicit Pkpo(harness::MethodKeys& keys) : k_(keys.integer("k", 4, 1, 1024, "k of the pass@k that is optimised")) {}
  [[nodiscard]] std::string name() const override { return "pkpo"; }
  [[nodiscard]] bool shapes_rewards() const override { return true; }
  [[nodiscard]] bool replaces_rewards() const override { return true; }
  [[nodiscard]] bool owns_advantages() const override { return true; }

  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics&) override {
    const std::span<const harness::Sample> samples(step.samples);
    harness::for_each_group(samples, [&](size_t begin, size_t end) {
      transform(samples.subspan(begin, end - begin), std::span(scores).subspan(begin, end - begin));
    });
  }

  void group_advantages(std::span<const harness::Sample>, std::span<const double> scores,
                        std::span<double> advantages) const override {
    harness::centred_advantages(scores, advantages);
  }

 private:
  void transform(std::span<const harness::Sample> group, std::span<double> scores) const {
    require_group_of(name(), k_, group.size());
    const auto n = static_cast<int64_t>(group.size());
    const int64_t c = count_right(group);
    const double right = static_cast<double>(k_) / static_cast<double>(n);
    const double wrong = c < n ? right * (1 - chance_of_missing(n - 1, c, k_ - 1)) : 0;
    for (size_t i = 0; i < group.size(); ++i) scores[i] = group[i].correct ? right : wrong;
  }

  int64_t k_;
};

}  // namespace

harness::MethodEntry pkpo_entry() {
  return {.name = "pkpo", .title = "PKPO", .source = "arXiv 2505.15201", .make = [](harness::MethodKeys& keys) {
            return std::make_unique<Pkpo>(keys);
          }};
}

}  // namespace baselines
