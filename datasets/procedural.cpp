#include "datasets/procedural.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace datasets {
namespace {

using harness::Error;
using harness::RandomStream;

// Far above what the rarest kind needs: the chance to miss one of n problems in this many draws is n (1 - 1/n)^draws < 1e-100.
constexpr uint64_t kMaxDraws = 100'000;

harness::Problem make_problem(const ProceduralKind& kind, const Numbers& numbers) {
  harness::Problem problem;
  problem.set = "nano/" + kind.set;
  problem.kind = kind.name;
  problem.text = kind.text(numbers);
  problem.answer = std::to_string(answer_of(kind.strategies.back(), numbers));
  problem.error_labels = error_labels(kind.strategies, numbers);
  problem.has_error_labels = true;
  if (kind.labels_by_opening) problem.error_openings = error_openings(kind.strategies, numbers);
  return problem;
}

// Distinct problems of a kind in the order drawn.
std::vector<harness::Problem> draw_problems(const ProceduralKind& kind, uint64_t data_seed, int64_t count) {
  std::vector<harness::Problem> problems;
  std::set<std::string> seen;
  for (uint64_t attempt = 0; attempt < kMaxDraws && std::ssize(problems) < count; ++attempt) {
    Draws draws(RandomStream("nano problem", {data_seed, harness::hash64(kind.name), attempt}));
    const Numbers numbers = kind.draw(draws);
    if (!kind.accepts(numbers)) continue;
    if (seen.insert(kind.text(numbers)).second) problems.push_back(make_problem(kind, numbers));
  }
  if (std::ssize(problems) < count) {
    throw Error("kind {}: expected at least {} different problems for the splits, found {}", kind.name, count, problems.size());
  }
  return problems;
}

void append(harness::ProblemSet& set, const std::string& name, std::vector<harness::Problem>& problems, int64_t begin,
            int64_t count) {
  set.name = name;
  for (int64_t i = 0; i < count; ++i) {
    harness::Problem& problem = problems[static_cast<size_t>(begin + i)];
    problem.id = fmt::format("{}-{:04}", problem.kind, begin + i);
    set.problems.push_back(problem);
  }
}

void check_settings(const NanoSettings& settings) {
  if (settings.train < 0 || settings.validation < 0 || settings.test < 0) {
    throw Error("nano suite: expected split sizes of at least 0, found {}, {}, {}", settings.train, settings.validation,
                settings.test);
  }
  if (!(settings.slips >= 0 && settings.slips <= 1)) {
    throw Error("nano suite: expected a share of slips in [0, 1], found {}", settings.slips);
  }
}

// The kind's strategies with the shares that the settings give them.
std::vector<double> shares_of(const ProceduralKind& kind, const NanoSettings& settings) {
  const auto given = settings.shares.find(kind.name);
  std::vector<double> shares;
  if (given == settings.shares.end()) {
    for (const Strategy& strategy : kind.strategies) shares.push_back(strategy.share);
    return shares;
  }
  shares = given->second;
  double sum = 0;
  for (const double share : shares) sum += share >= 0 ? share : NAN;
  if (shares.size() != kind.strategies.size() || !(std::abs(sum - 1) < 1e-6)) {
    throw Error("shares of {}: expected {} numbers of at least 0 that sum to 1, found {} that sum to {}", kind.name,
                kind.strategies.size(), shares.size(), sum);
  }
  return shares;
}

class NanoDemonstrations : public DemonstrationSource {
 public:
  NanoDemonstrations(uint64_t data_seed, const NanoSettings& settings, std::vector<ProceduralKind> kinds)
      : data_seed_(data_seed), slips_(settings.slips), kinds_(std::move(kinds)) {
    const SuiteSplits splits = make_nano_splits(data_seed, settings);
    for (const auto* split : {&splits.validation, &splits.test}) {
      for (const auto& [name, set] : *split) {
        for (const harness::Problem& problem : set.problems) held_out_.insert(problem.text);
      }
    }
    std::set<std::string> names;
    for (const ProceduralKind& kind : kinds_) {
      shares_.push_back(shares_of(kind, settings));
      names.insert(kind.name);
    }
    for (const auto& [name, shares] : settings.shares) {
      if (!names.contains(name)) throw Error("shares: expected a kind of the suite, found {}", name);
    }
  }

  [[nodiscard]] Demonstration draw(uint64_t index) const override {
    for (uint64_t attempt = 0; attempt < kMaxDraws; ++attempt) {
      Draws draws(RandomStream("nano demonstration", {data_seed_, index, attempt}));
      // The kind is drawn anew only with the index, so that no kind is drawn less often because it is refused more often.
      const size_t which = RandomStream("nano demonstration kind", {data_seed_}).below(index, kinds_.size());
      const ProceduralKind& kind = kinds_[which];
      const Numbers numbers = kind.draw(draws);
      const std::string text = kind.text(numbers);
      if (!kind.accepts(numbers) || held_out_.contains(text)) continue;
      Demonstration demonstration = demonstrate(kind.strategies, shares_[which], numbers, slips_, false, draws);
      demonstration.prompt = text + "?";
      demonstration.kind = kind.name;
      return demonstration;
    }
    throw Error("demonstration {}: expected a problem outside the validation and test splits, found none", index);
  }

 private:
  uint64_t data_seed_;
  double slips_;
  std::vector<ProceduralKind> kinds_;
  std::vector<std::vector<double>> shares_;  // of each kind's strategies
  std::set<std::string> held_out_;           // texts of the validation and test splits
};

// Which strategy: the first index whose cumulative share exceeds u in [0, 1).
size_t pick_strategy(const std::vector<double>& shares, double u) {
  double sum = 0;
  for (size_t i = 0; i + 1 < shares.size(); ++i) {
    sum += shares[i];
    if (u < sum) return i;
  }
  return shares.size() - 1;
}

Slip draw_slip(Draws& draws, double rate, int64_t steps) {
  static constexpr int64_t kDeltas[] = {-2, -1, 1, 2};
  if (draws.uniform() >= rate || steps == 0) return {};
  const int64_t step = draws.between(0, std::min<int64_t>(3, steps) - 1);
  return {step, kDeltas[draws.between(0, 3)]};
}

}  // namespace

std::vector<std::string> nano_set_names() { return {"prec", "mod", "lin", "seq", "list"}; }

std::vector<std::string> arena_set_names() { return {"prec", "mod", "lin", "seq", "list", "errors"}; }

std::string nano_characters() { return "0123456789+-*/%=;:?,()}xTSGFVKEP"; }

Demonstration demonstrate(const std::vector<Strategy>& strategies, const std::vector<double>& shares, const Numbers& numbers,
                          double slips, bool spaced, Draws& draws) {
  const Strategy& strategy = strategies[pick_strategy(shares, draws.uniform())];
  Chain plain({}, spaced);
  strategy.answer(numbers, plain);
  const Slip slip = draw_slip(draws, strategy.slips < 0 ? slips : strategy.slips, plain.steps());
  Chain chain(slip, spaced);
  const int64_t answer = strategy.answer(numbers, chain);
  Demonstration demonstration;
  demonstration.response = fmt::format("{}{}\\boxed{{{}}}", chain.text(), spaced ? "The answer is " : "", answer);
  demonstration.strategy = strategy.name;
  demonstration.slip = slip.step >= 0;
  demonstration.right = answer == answer_of(strategies.back(), numbers);
  return demonstration;
}

SuiteSplits make_nano_splits(uint64_t data_seed, const NanoSettings& settings) {
  check_settings(settings);
  SuiteSplits splits;
  for (const ProceduralKind& kind : arena_kinds()) {
    const std::string name = "nano/" + kind.set;
    auto problems = draw_problems(kind, data_seed, settings.test + settings.validation + settings.train);
    append(splits.test[kind.set], name, problems, 0, settings.test);
    append(splits.validation[kind.set], name, problems, settings.test, settings.validation);
    append(splits.train[kind.set], name, problems, settings.test + settings.validation, settings.train);
  }
  return splits;
}

std::unique_ptr<DemonstrationSource> nano_demonstrations(uint64_t data_seed, const NanoSettings& settings) {
  return std::make_unique<NanoDemonstrations>(data_seed, settings, nano_kinds());
}

std::unique_ptr<DemonstrationSource> arena_demonstrations(uint64_t data_seed, const NanoSettings& settings) {
  return std::make_unique<NanoDemonstrations>(data_seed, settings, arena_kinds());
}

}  // namespace datasets
