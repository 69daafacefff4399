#include "baselines/signed_reinforce.h"

namespace baselines {

namespace {

class SignedReinforce : public harness::Method {
 public:
  SignedReinforce(std::string name, double right, double wrong) : name_(std::move(name)), right_(right), wrong_(wrong) {}
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] bool owns_advantages() const override { return true; }
  [[nodiscard]] bool reads_scores() const override { return false; }
  void group_advantages(std::span<const harness::Sample> group, std::span<const double>,
                        std::span<double> advantages) const override {
    for (size_t i = 0; i < group.size(); ++i) advantages[i] = group[i].correct ? right_ : wrong_;
  }

 private:
  std::string name_;
  double right_, wrong_;
};

harness::MethodEntry entry(const std::string& name, const std::string& title,
                           std::function<std::unique_ptr<harness::Method>(harness::MethodKeys&)> make) {
  return {.name = name, .title = title, .source = "arXiv 2506.01347", .make = std::move(make)};
}

}  // namespace

std::vector<harness::MethodEntry> signed_reinforce_entries() {
  return {entry("nsr", "Negative-sample reinforcement",
                [](harness::MethodKeys&) { return std::make_unique<SignedReinforce>("nsr", 0.0, -1.0); }),
          entry("psr", "Positive-sample reinforcement",
                [](harness::MethodKeys&) { return std::make_unique<SignedReinforce>("psr", 1.0, 0.0); }),
          entry("w_reinforce", "Weighted-REINFORCE", [](harness::MethodKeys& keys) {
            const double lambda = keys.number("lambda", 0.1, 0, 1, "weight of right responses");
            return std::make_unique<SignedReinforce>("w_reinforce", lambda, -1.0);
          })};
}

}  // namespace baselines
