#include "baselines/repexp.h"

#include "harness/core/error.h"

namespace baselines {

namespace {

// (lambda I + sum of h h^T)^-1, grown by one h at a time (Sherman and Morrison).
class InverseCovariance {
 public:
  InverseCovariance(size_t length, double lambda) : rows_(length, std::vector<double>(length, 0.0)) {
    for (size_t i = 0; i < length; ++i) rows_[i][i] = 1 / lambda;
  }
  void add(const std::vector<float>& h) {
    const std::vector<double> product = times(h);
    const double scale = 1 + dot(product, h);
    for (size_t i = 0; i < rows_.size(); ++i) {
      for (size_t j = 0; j < rows_.size(); ++j) rows_[i][j] -= product[i] * product[j] / scale;
    }
  }
  // h^T (...)^-1 h
  [[nodiscard]] double length_of(const std::vector<float>& h) const { return dot(times(h), h); }

 private:
  static double dot(const std::vector<double>& a, const std::vector<float>& h) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * h[i];
    return sum;
  }
  [[nodiscard]] std::vector<double> times(const std::vector<float>& h) const {
    std::vector<double> out;
    for (const std::vector<double>& row : rows_) out.push_back(dot(row, h));
    return out;
  }

  std::vector<std::vector<double>> rows_;
};

class RepExp : public harness::Method {
 public:
  explicit RepExp(harness::MethodKeys& keys)
      : c_(keys.number("c", 0.1, 0, 100, "weight of the bonus")),
        lambda_(keys.number("lambda", 1.0, 1e-9, 1e9, "weight of the identity, on the scale of h squared")) {}
  [[nodiscard]] std::string name() const override { return "repexp"; }
  [[nodiscard]] harness::Needs needs() const override { return {.mean_readouts = true}; }
  [[nodiscard]] bool shapes_rewards() const override { return true; }

  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics&) override {
    harness::for_each_group(step.samples, [&](size_t begin, size_t end) {
      if (step.samples[begin].stored) return;  // has none
      const size_t length = step.samples[begin].mean_readout.size();
      if (length == 0) throw harness::Error("method repexp: expected layer readouts, found none");
      InverseCovariance covariance(length, lambda_);
      for (size_t i = begin; i < end; ++i) {
        const std::vector<float>& h = step.samples[i].mean_readout;
        if (h.size() != length) throw harness::Error("method repexp: expected readouts of {}, found {}", length, h.size());
        covariance.add(h);
      }
      for (size_t i = begin; i < end; ++i) scores[i] += c_ * covariance.length_of(step.samples[i].mean_readout);
    });
  }

 private:
  double c_, lambda_;
};

}  // namespace

harness::MethodEntry repexp_entry() {
  return {.name = "repexp",
          .title = "RepExp",
          .source = "arXiv 2510.11686",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<RepExp>(keys); },
          .base = "grpo"};
}

}  // namespace baselines
