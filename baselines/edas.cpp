#include "baselines/edas.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace baselines {

namespace {

class Edas : public harness::Method {
 public:
  explicit Edas(harness::MethodKeys& keys)
      : alpha_(keys.number("alpha", 0.4, 0, 100, "weight of an error's rarity")),
        beta_(keys.number("beta", 0.2, 0, 100, "penalty where all wrong responses give one answer")),
        kappa_(keys.number("kappa", 2.0, 1, INFINITY, "the change is at most |A| / kappa")),
        of_wrong_(keys.text("scale", "group", {"group", "wrong"}, "responses whose mean |A| is the scale") == "wrong") {}
  [[nodiscard]] std::string name() const override { return "edas"; }
  [[nodiscard]] harness::Needs needs() const override { return {.answers = true}; }
  [[nodiscard]] bool reshapes_advantages() const override { return true; }

  void reshape_advantages(std::span<const harness::Sample> group, std::span<const double>,
                          std::span<double> advantages) const override {
    std::map<std::string, double> sizes;
    double wrong = 0, spread = 0;
    for (size_t i = 0; i < group.size(); ++i) {
      if (!of_wrong_ || !group[i].correct) spread += std::abs(advantages[i]);
      if (group[i].correct) continue;
      ++wrong;
      ++sizes[group[i].answer];
    }
    if (wrong < 2) return;
    spread /= of_wrong_ ? wrong : static_cast<double>(group.size());
    double entropy = 0;
    for (const auto& [answer, size] : sizes) entropy -= size / wrong * std::log(size / wrong);
    for (size_t i = 0; i < group.size(); ++i) {
      if (group[i].correct) continue;
      const double information = -std::log(sizes[group[i].answer] / wrong);
      const double change = sizes.size() == 1 ? -beta_ * spread : alpha_ * spread * (information - entropy) / std::log(wrong);
      advantages[i] += std::copysign(std::min(std::abs(change), std::abs(advantages[i]) / kappa_), change);
    }
  }

 private:
  double alpha_, beta_, kappa_;
  bool of_wrong_;
};

}  // namespace

harness::MethodEntry edas_entry() {
  return {.name = "edas", .title = "EDAS", .source = "arXiv 2605.17333", .make = [](harness::MethodKeys& keys) {
            return std::make_unique<Edas>(keys);
          }};
}

}  // namespace baselines
