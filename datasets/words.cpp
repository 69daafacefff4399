#include "datasets/words.h"

#include <algorithm>
#include <set>
#include <utility>

#include "datasets/word_kind.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace datasets {
namespace {

using harness::Error;
using harness::RandomStream;
using N = const Numbers&;

constexpr uint64_t kMaxWordDraws = 100'000;

harness::Problem make_problem(const WordKind& kind, N numbers, const std::string& text) {
  harness::Problem problem;
  problem.set = "words";
  problem.kind = kind.name;
  problem.text = text;
  problem.answer = std::to_string(answer_of(kind.strategies.back(), numbers));
  problem.has_error_labels = true;
  problem.error_labels = error_labels(kind.strategies, numbers);
  return problem;
}

struct KindSplits {
  std::vector<harness::Problem> held_out;  // test, then validation
  std::vector<harness::Problem> train;
  std::set<Numbers> held_out_numbers;
};

KindSplits split_kind(const WordKind& kind, uint64_t data_seed, const WordSettings& settings) {
  KindSplits splits;
  std::set<std::string> train_texts;
  const int64_t held_out = settings.test + settings.validation;
  const uint64_t kind_key = harness::hash64(kind.name);
  for (uint64_t attempt = 0; attempt < kMaxWordDraws; ++attempt) {
    if (std::ssize(splits.held_out) == held_out && std::ssize(splits.train) == settings.train) return splits;
    Draws draws(RandomStream("words problem", {data_seed, kind_key, attempt}));
    const Numbers numbers = kind.draw(draws);
    if (!kind.accepts(numbers) || splits.held_out_numbers.contains(numbers)) continue;
    const std::string text = kind.text(numbers, RandomStream("words text", {data_seed, kind_key, attempt}).key());
    if (std::ssize(splits.held_out) < held_out) {
      splits.held_out_numbers.insert(numbers);
      splits.held_out.push_back(make_problem(kind, numbers, text));
    } else if (train_texts.insert(text).second) {
      splits.train.push_back(make_problem(kind, numbers, text));
    }
  }
  throw Error("words, kind {}: expected {} problems, found {} different ones", kind.name, held_out + settings.train,
              splits.held_out.size() + splits.train.size());
}

void check_settings(const WordSettings& settings) {
  if (settings.train < 0 || settings.validation < 0 || settings.test < 0) {
    throw Error("words: expected split sizes of at least 0, found {}, {}, {}", settings.train, settings.validation,
                settings.test);
  }
  for (const auto* shares : {&settings.one_step, &settings.two_steps}) {
    double sum = 0;
    for (const auto& [name, share] : *shares) {
      if (name != "wrong_operation" && (shares == &settings.one_step || (name != "one_step_only" && name != "wrong_order"))) {
        throw Error(
            "words: shares: expected one_step_only, wrong_order or wrong_operation (one step: the last alone), found {}", name);
      }
      if (!(share >= 0)) throw Error("words: share of {}: expected at least 0, found {}", name, share);
      sum += share;
    }
    if (sum > 1 + 1e-9) throw Error("words: expected shares of wrong strategies that sum to 1 at most, found {}", sum);
  }
}

class WordDemonstrations : public DemonstrationSource {
 public:
  WordDemonstrations(uint64_t data_seed, const WordSettings& settings)
      : data_seed_(data_seed), slips_(settings.slips), kinds_(word_kind_tables()) {
    check_settings(settings);
    for (const WordKind& kind : kinds_) {
      held_out_.push_back(split_kind(kind, data_seed, settings).held_out_numbers);
      const auto& given = kind.name.find('_') == std::string::npos ? settings.one_step : settings.two_steps;
      std::vector<double> shares;
      double wrong = 0;
      for (size_t i = 0; i + 1 < kind.strategies.size(); ++i) {
        const auto place = given.find(kind.strategies[i].name);
        shares.push_back(place == given.end() ? 0 : place->second);
        wrong += shares.back();
      }
      shares.push_back(1 - wrong);
      shares_.push_back(std::move(shares));
    }
  }

  [[nodiscard]] Demonstration draw(uint64_t index) const override {
    const size_t which = RandomStream("words demonstration kind", {data_seed_}).below(index, kinds_.size());
    const WordKind& kind = kinds_[which];
    for (uint64_t attempt = 0; attempt < kMaxWordDraws; ++attempt) {
      const RandomStream stream("words demonstration", {data_seed_, index, attempt});
      Draws draws(stream);
      const Numbers numbers = kind.draw(draws);
      if (!kind.accepts(numbers) || held_out_[which].contains(numbers)) continue;
      Demonstration demonstration = demonstrate(kind.strategies, shares_[which], numbers, slips_, true, draws);
      demonstration.prompt = kind.text(numbers, stream.key());
      demonstration.kind = kind.name;
      return demonstration;
    }
    throw Error("demonstration {}: expected a problem outside the validation and test splits, found none", index);
  }

 private:
  uint64_t data_seed_;
  double slips_;
  std::vector<WordKind> kinds_;
  std::vector<std::vector<double>> shares_;  // of each kind's strategies
  std::vector<std::set<Numbers>> held_out_;  // numbers of each kind's validation and test problems
};

}  // namespace

SuiteSplits make_word_splits(uint64_t data_seed, const WordSettings& settings) {
  check_settings(settings);
  SuiteSplits splits;
  for (auto* split : {&splits.train, &splits.validation, &splits.test}) (*split)["words"].name = "words";
  for (const WordKind& kind : word_kind_tables()) {
    int64_t number = 0;
    const auto add = [&](harness::ProblemSet& set, harness::Problem problem) {
      problem.id = fmt::format("{}-{:04}", kind.name, number++);
      set.problems.push_back(std::move(problem));
    };
    const KindSplits parts = split_kind(kind, data_seed, settings);
    for (const harness::Problem& problem : parts.held_out) {
      add(number < settings.test ? splits.test["words"] : splits.validation["words"], problem);
    }
    for (const harness::Problem& problem : parts.train) add(splits.train["words"], problem);
  }
  return splits;
}

std::unique_ptr<DemonstrationSource> word_demonstrations(uint64_t data_seed, const WordSettings& settings) {
  return std::make_unique<WordDemonstrations>(data_seed, settings);
}

}  // namespace datasets
