#include "datasets/words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "datasets/word_kind.h"
#include "harness/core/error.h"

namespace datasets {
namespace {

template <typename Body>
void for_each_word_problem(const SuiteSplits& splits, Body&& body) {
  for (const auto* split : {&splits.train, &splits.validation, &splits.test}) {
    for (const harness::Problem& problem : split->at("words").problems) body(problem);
  }
}

WordKind kind_named(const std::string& name) {
  for (const WordKind& kind : word_kind_tables()) {
    if (kind.name == name) return kind;
  }
  throw harness::Error("no kind {}", name);
}

TEST(WordAnswer, IsThatWorkedByHand) {
  const std::vector<std::tuple<std::string, Numbers, std::string, int64_t>> cases = {
      {"add", {7, 5}, "right", 12},
      {"add", {5, 7}, "wrong_operation", 2},
      {"take", {9, 4}, "right", 5},
      {"take", {9, 4}, "wrong_operation", 13},
      {"multiply", {3, 4}, "right", 12},
      {"share", {12, 3}, "right", 4},
      {"share", {12, 3}, "wrong_operation", 9},
      {"add_take", {9, 4, 2}, "right", 11},
      {"add_take", {9, 4, 2}, "one_step_only", 13},
      {"take_add", {9, 4, 2}, "right", 7},
      {"take_add", {9, 4, 2}, "wrong_order", 3},
      {"multiply_add", {3, 4, 5}, "right", 17},
      {"multiply_add", {3, 4, 5}, "wrong_order", 27},
      {"multiply_add", {3, 4, 5}, "wrong_operation", 12},
      {"multiply_take", {3, 4, 2}, "right", 10},
      {"multiply_take", {3, 4, 2}, "wrong_order", 6},
      {"add_multiply", {3, 4, 5}, "right", 35},
      {"add_multiply", {3, 4, 5}, "wrong_order", 23},
      {"add_share", {6, 4, 2}, "right", 5},
      {"add_share", {6, 4, 2}, "wrong_order", 8},
      {"take_share", {8, 4, 2}, "right", 2},
      {"take_share", {8, 4, 2}, "wrong_order", 6},
      {"share_add", {8, 2, 4}, "right", 8},
      {"share_add", {8, 2, 4}, "wrong_order", 6},
  };
  for (const auto& [kind, numbers, strategy, answer] : cases) {
    const std::vector<Strategy> strategies = kind_named(kind).strategies;
    const auto found =
        std::find_if(strategies.begin(), strategies.end(), [&name = strategy](const Strategy& s) { return s.name == name; });
    ASSERT_NE(found, strategies.end()) << kind << strategy;
    EXPECT_EQ(answer_of(*found, numbers), answer) << kind << strategy;
  }
}

TEST(WordText, FillsEveryPlaceAndShowsEveryNumber) {
  for (const WordKind& kind : word_kind_tables()) {
    const bool two_steps = kind.name.find('_') != std::string::npos;
    const Numbers numbers = two_steps ? Numbers{111, 222, 333} : Numbers{111, 222};
    for (uint64_t wording = 0; wording < 100; ++wording) {
      const std::string text = kind.text(numbers, wording);
      EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
      for (const int64_t n : numbers) EXPECT_NE(text.find(std::to_string(n)), std::string::npos) << text;
      EXPECT_EQ(text.back(), '?') << text;
    }
  }
}

TEST(WordText, VariesNamesThingsAndPhrasings) {
  std::set<std::string> texts;
  const WordKind add = kind_named("add");
  for (uint64_t wording = 0; wording < 200; ++wording) texts.insert(add.text({7, 5}, wording));
  EXPECT_GT(texts.size(), 150u);
}

TEST(WordSplits, AreDisjointByTextAndHeldOutNumbersNeverComeBack) {
  WordSettings settings;
  settings.train = 60;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const SuiteSplits splits = make_word_splits(seed, settings);
    std::set<std::string> texts;
    std::set<std::string> ids;
    size_t count = 0;
    for_each_word_problem(splits, [&](const harness::Problem& problem) {
      texts.insert(problem.text);
      ids.insert(problem.id);
      ++count;
      EXPECT_TRUE(problem.has_error_labels);
      EXPECT_FALSE(problem.error_labels.empty());
      EXPECT_FALSE(problem.error_labels.contains(problem.answer)) << problem.text;
    });
    EXPECT_EQ(count, word_kind_tables().size() * 75);
    EXPECT_EQ(texts.size(), count);
    EXPECT_EQ(ids.size(), count);
    EXPECT_EQ(splits.test.at("words").problems.size(), word_kind_tables().size() * 10);
  }
}

TEST(WordSplits, DependOnTheSeedAndKeepTheTestProblemsWhenTrainingGrows) {
  WordSettings larger;
  larger.train = 100;
  const std::string test_hash = make_word_splits(1).test.at("words").content_hash();
  EXPECT_EQ(test_hash, make_word_splits(1, larger).test.at("words").content_hash());
  EXPECT_NE(test_hash, make_word_splits(2).test.at("words").content_hash());
}

TEST(WordDemonstrations, RealiseTheirSharesAndEndInABox) {
  const auto source = word_demonstrations(0);
  constexpr uint64_t kDraws = 20'000;
  std::map<bool, std::map<std::string, double>> counts;  // two steps? -> strategy
  std::map<bool, double> totals;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Demonstration demonstration = source->draw(i);
    const bool two_steps = demonstration.kind.find('_') != std::string::npos;
    counts[two_steps][demonstration.strategy] += 1;
    totals[two_steps] += 1;
    ASSERT_EQ(demonstration.response.back(), '}');
    ASSERT_NE(demonstration.response.find("The answer is \\boxed{"), std::string::npos);
    if (!demonstration.slip) {
      EXPECT_EQ(demonstration.right, demonstration.strategy == "right") << demonstration.prompt;
    }
  }
  // Seven standard errors of a binomial share: a false alarm has a chance below 2.6e-12 each.
  const auto near = [&](bool two_steps, const std::string& name, double share) {
    EXPECT_NEAR(counts[two_steps][name] / totals[two_steps], share, 7 * std::sqrt(share * (1 - share) / totals[two_steps]))
        << name;
  };
  near(false, "wrong_operation", .15);
  near(false, "right", .85);
  near(true, "one_step_only", .15);
  near(true, "wrong_operation", .07);
  near(true, "wrong_order", .08 * 7 / 8);  // add_take has no wrong order: its share goes to the right strategy
}

TEST(WordDemonstrations, NeverShowAValidationOrTestProblem) {
  const SuiteSplits splits = make_word_splits(3);
  std::set<std::string> held_out;
  for (const auto* split : {&splits.validation, &splits.test}) {
    for (const harness::Problem& problem : split->at("words").problems) held_out.insert(problem.text);
  }
  const auto source = word_demonstrations(3);
  for (uint64_t i = 0; i < 5000; ++i) EXPECT_FALSE(held_out.contains(source->draw(i).prompt));
}

TEST(WordDemonstrations, HaveAShortEnglishChain) {
  const auto source = word_demonstrations(7);
  bool seen = false;
  for (uint64_t i = 0; i < 200 && !seen; ++i) {
    const Demonstration demonstration = source->draw(i);
    if (demonstration.kind != "multiply_add" || demonstration.strategy != "right" || demonstration.slip) continue;
    seen = true;
    EXPECT_NE(demonstration.response.find(". Then "), std::string::npos) << demonstration.response;
  }
  EXPECT_TRUE(seen);
}

TEST(WordDemonstrations, RefuseSharesOfStrategiesThatDoNotExist) {
  WordSettings settings;
  settings.two_steps["guess"] = .1;
  EXPECT_THROW(word_demonstrations(0, settings), harness::Error);
  settings.two_steps = {{"wrong_order", .7}, {"one_step_only", .5}};
  EXPECT_THROW(word_demonstrations(0, settings), harness::Error);
}

}  // namespace
}  // namespace datasets
