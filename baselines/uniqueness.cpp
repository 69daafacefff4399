#include "baselines/uniqueness.h"

#include <cmath>
#include <map>

#include "harness/cluster/hdbscan.h"
#include "harness/core/error.h"
#include "harness/rl/advantages.h"

namespace baselines {

namespace {

// Size of each right response's strategy cluster, 0 for wrong ones.
using Sizes = std::vector<int64_t>;

Sizes sizes_by_answer(std::span<const harness::Sample> group) {
  std::map<std::string, int64_t> counts;
  for (const harness::Sample& sample : group) counts[sample.answer] += sample.correct ? 1 : 0;
  Sizes sizes(group.size(), 0);
  for (size_t i = 0; i < group.size(); ++i) {
    if (group[i].correct) sizes[i] = group[i].has_answer ? counts[group[i].answer] : 1;
  }
  return sizes;
}

void append_normalised(const std::vector<float>& fingerprint, std::vector<double>& rows) {
  double squares = 0;
  for (const float value : fingerprint) squares += static_cast<double>(value) * value;
  const double norm = squares > 0 ? std::sqrt(squares) : 1;
  for (const float value : fingerprint) rows.push_back(value / norm);
}

Sizes sizes_by_fingerprint(std::span<const harness::Sample> group) {
  std::vector<size_t> members;  // right responses with a fingerprint
  std::vector<double> rows;
  for (size_t i = 0; i < group.size(); ++i) {
    if (!group[i].correct || group[i].fingerprint.empty()) continue;
    members.push_back(i);
    append_normalised(group[i].fingerprint, rows);
  }
  Sizes sizes(group.size(), 0);
  for (size_t i = 0; i < group.size(); ++i) sizes[i] = group[i].correct ? 1 : 0;
  if (members.empty()) return sizes;
  const auto count = static_cast<int64_t>(members.size());
  for (const size_t member : members) {
    if (group[member].fingerprint.size() != group[members.front()].fingerprint.size()) {
      throw harness::Error("method uniqueness: expected fingerprints of one length, found {} and {}",
                           group[members.front()].fingerprint.size(), group[member].fingerprint.size());
    }
  }
  const std::vector<int64_t> labels = harness::hdbscan(rows, count, static_cast<int64_t>(rows.size()) / count);
  for (size_t i = 0; i < members.size(); ++i) {
    sizes[members[i]] = 0;
    for (size_t j = 0; j < members.size(); ++j) {
      const bool together = labels[i] == -1 ? labels[j] == -1 && group[members[i]].fingerprint == group[members[j]].fingerprint
                                            : labels[i] == labels[j];
      sizes[members[i]] += together ? 1 : 0;
    }
  }
  return sizes;
}

class Uniqueness : public harness::Method {
 public:
  explicit Uniqueness(harness::MethodKeys& keys)
      : alpha_(keys.number("alpha", 1.0, 0, 1, "exponent: the weight is (cluster size)^-alpha")),
        by_answer_(keys.text("strategy", "fingerprint", {"fingerprint", "answer"}, "what stands for a strategy") == "answer") {}
  [[nodiscard]] std::string name() const override { return "uniqueness"; }
  [[nodiscard]] harness::Needs needs() const override { return {.fingerprints = !by_answer_, .answers = by_answer_}; }
  [[nodiscard]] bool owns_advantages() const override { return true; }

  void group_advantages(std::span<const harness::Sample> group, std::span<const double> scores,
                        std::span<double> advantages) const override {
    harness::normalised_advantages(scores, advantages);
    const Sizes sizes = by_answer_ ? sizes_by_answer(group) : sizes_by_fingerprint(group);
    for (size_t i = 0; i < group.size(); ++i) {
      if (sizes[i] > 0) advantages[i] *= std::pow(static_cast<double>(sizes[i]), -alpha_);
    }
  }

 private:
  double alpha_;
  bool by_answer_;
};

}  // namespace

harness::MethodEntry uniqueness_entry() {
  return {.name = "uniqueness",
          .title = "Uniqueness-aware RL",
          .source = "arXiv 2601.08763",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<Uniqueness>(keys); }};
}

}  // namespace baselines
