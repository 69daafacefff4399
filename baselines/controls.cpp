#include "baselines/controls.h"

namespace baselines {

namespace {

class Temperature : public harness::Method {
 public:
  explicit Temperature(harness::MethodKeys& keys)
      : temperature_(keys.number("temperature", 1.2, 0.01, 10, "sampling temperature of the rollouts")) {}
  [[nodiscard]] std::string name() const override { return "temperature"; }
  [[nodiscard]] bool adjusts_sampling() const override { return true; }
  void adjust_sampling(harness::SamplingSettings& settings) const override { settings.temperature = temperature_; }

 private:
  double temperature_;
};

harness::MethodEntry dapo_without(const std::string& piece, const std::string& title, const std::string& assignment) {
  return {.name = "dapo_no_" + piece, .title = title, .source = "arXiv 2503.14476", .overrides = {assignment}};
}

}  // namespace

std::vector<harness::MethodEntry> control_entries() {
  return {dapo_without("clip_higher", "DAPO without clip-higher", "loss.clip_high=0.2"),
          dapo_without("filter", "DAPO without the group filter", "filter.enabled=false"),
          dapo_without("overlong", "DAPO without the overlong penalty", "overlong.buffer=0"),
          dapo_without("token_mean", "DAPO without the token mean", "loss.aggregation=\"seq_mean_token_mean\""),
          {.name = "temperature", .title = "Hotter sampling", .source = "control", .make = [](harness::MethodKeys& keys) {
             return std::make_unique<Temperature>(keys);
           }}};
}

}  // namespace baselines
