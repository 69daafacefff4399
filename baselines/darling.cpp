#include "baselines/darling.h"

#include <algorithm>

#include "baselines/partition.h"

namespace baselines {

namespace {

class Darling : public harness::Method {
 public:
  explicit Darling(harness::MethodKeys& keys)
      : floor_(keys.number("floor", 0.1, 0, 1, "least factor of a reward")), classes_(keys, "partition", name()) {}
  [[nodiscard]] std::string name() const override { return "darling"; }
  [[nodiscard]] harness::Needs needs() const override { return classes_.needs(); }
  [[nodiscard]] bool shapes_rewards() const override { return true; }

  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics&) override {
    const std::span<const harness::Sample> samples(step.samples);
    harness::for_each_group(samples, [&](size_t begin, size_t end) {
      const size_t responses = end - begin;
      if (responses < 2) return;
      const std::vector<int64_t> sizes = classes_.sizes(samples.subspan(begin, responses), std::vector<bool>(responses, true));
      for (size_t i = 0; i < responses; ++i) {
        const double unlike = static_cast<double>(static_cast<int64_t>(responses) - sizes[i]);
        scores[begin + i] *= std::max(floor_, unlike / static_cast<double>(responses - 1));
      }
    });
  }

 private:
  double floor_;
  Partition classes_;
};

}  // namespace

harness::MethodEntry darling_entry() {
  return {.name = "darling",
          .title = "DARLING",
          .source = "arXiv 2509.02534",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<Darling>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
