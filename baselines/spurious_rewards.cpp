#include "baselines/spurious_rewards.h"

#include "baselines/pass_k.h"
#include "harness/core/random.h"

namespace baselines {

namespace {

// Rewards 1 and 0 in the place of those for right and wrong.
class SpuriousReward : public harness::Method {
 public:
  [[nodiscard]] bool shapes_rewards() const override { return true; }
  [[nodiscard]] bool replaces_rewards() const override { return true; }
  [[nodiscard]] bool ignores_truth() const override { return true; }

  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics&) override {
    const std::span<const harness::Sample> samples(step.samples);
    harness::for_each_group(samples, [&](size_t begin, size_t end) {
      const auto right = static_cast<double>(count_right(samples.subspan(begin, end - begin)));
      for (size_t i = begin; i < end; ++i) {
        const double overlong = samples[i].reward - (samples[i].correct ? 1 : 0);
        scores[i] = (is_rewarded(samples[i], right / static_cast<double>(end - begin)) ? 1 : 0) + overlong;
      }
    });
  }

 private:
  // `rate`: share of right responses in the group.
  [[nodiscard]] virtual bool is_rewarded(const harness::Sample& sample, double rate) const = 0;
};

class RandomReward : public SpuriousReward {
  [[nodiscard]] std::string name() const override { return "random_reward"; }
  [[nodiscard]] bool is_rewarded(const harness::Sample& sample, double rate) const override {
    return harness::RandomStream(name(), {sample.key}).uniform(0) < rate;
  }
};

class FormatReward : public SpuriousReward {
  [[nodiscard]] std::string name() const override { return "format_reward"; }
  [[nodiscard]] harness::Needs needs() const override { return {.answers = true}; }
  [[nodiscard]] bool is_rewarded(const harness::Sample& sample, double) const override { return sample.has_answer; }
};

template <typename Reward>
harness::MethodEntry entry_of(const std::string& name, const std::string& title) {
  return {.name = name, .title = title, .source = "control, arXiv 2506.10947", .make = [](harness::MethodKeys&) {
            return std::make_unique<Reward>();
          }};
}

}  // namespace

std::vector<harness::MethodEntry> spurious_reward_entries() {
  return {entry_of<RandomReward>("random_reward", "Random reward"), entry_of<FormatReward>("format_reward", "Format reward")};
}

}  // namespace baselines
