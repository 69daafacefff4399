#include "datasets/procedural.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <regex>
#include <set>

#include "harness/core/error.h"

namespace datasets {
namespace {

using std::string_literals::operator""s;

// Length in tokens: `\boxed{` is one token, each other character one, and eos.
size_t response_tokens(const std::string& response) { return response.size() - std::string("\\boxed{").size() + 1 + 1; }

// The numbers of a text of this kind: `#` is some digits, `@` one. None if the pattern does not fit.
std::optional<Numbers> numbers_of(const ProceduralKind& kind, const std::string& text) {
  std::string pattern;
  for (const char c : kind.pattern) {
    pattern += c == '#'                                      ? "([0-9]+)"
               : c == '@'                                    ? "([0-9])"
               : std::isalnum(static_cast<unsigned char>(c)) ? std::string{c}
                                                             : std::string{'\\', c};
  }
  std::smatch match;
  if (!std::regex_match(text, match, std::regex(pattern))) return std::nullopt;
  Numbers numbers;
  for (size_t i = 1; i < match.size(); ++i) numbers.push_back(std::stoll(match[i].str()));
  return numbers;
}

// What the strategy of that name makes of a text. `V:` and `E:` differ in their letter, so a text has one kind.
std::pair<std::string, int64_t> solve(const std::string& text, const std::string& strategy) {
  for (const ProceduralKind& kind : arena_kinds()) {
    const auto numbers = numbers_of(kind, text);
    if (!numbers) continue;
    for (const Strategy& candidate : kind.strategies) {
      if (candidate.name != strategy) continue;
      Chain chain;
      const int64_t answer = candidate.answer(*numbers, chain);
      return {chain.text(), answer};
    }
  }
  throw harness::Error("no strategy {} for {}", strategy, text);
}

TEST(NanoChain, IsThatOfTheWorkedExamples) {
  EXPECT_EQ(solve("8+6*9", "right"), std::pair("6*9=54;8+54=62;"s, int64_t{62}));
  EXPECT_EQ(solve("8+6*9", "left_to_right"), std::pair("8+6=14;14*9=126;"s, int64_t{126}));
  EXPECT_EQ(solve("6*3+9%7", "right"), std::pair("6*3=18;18+9=27;27%7=6;"s, int64_t{6}));
  EXPECT_EQ(solve("6x-2=52", "right"), std::pair("52+2=54;54/6=9;"s, int64_t{9}));
  EXPECT_EQ(solve("T5:17,14", "right"), std::pair("17-14=3;5-1=4;4*3=12;17-12=5;"s, int64_t{5}));
  EXPECT_EQ(solve("V:9168", "right"), std::pair("6+8=14;"s, int64_t{14}));
  EXPECT_EQ(solve("E:4637", "right"), std::pair("4*6=24;"s, int64_t{24}));
  EXPECT_EQ(solve("7*(2+8)", "right"), std::pair("2+8=10;7*10=70;"s, int64_t{70}));
  EXPECT_EQ(solve("7*(2+8)", "bracket_dropped"), std::pair("7*2=14;14+8=22;"s, int64_t{22}));
  EXPECT_EQ(solve("7*(2+8)", "bracket_dropped_by_parts"), std::pair("2-1=1;7*1=7;7+7=14;14+8=22;"s, int64_t{22}));
  EXPECT_EQ(solve("25-3*4", "left_to_right_by_parts"), std::pair("25*4=100;3*4=12;100-12=88;"s, int64_t{88}));
  EXPECT_EQ(solve("(2+5)*(9-3)", "brackets_ignored"), std::pair("5*9=45;2+45=47;47-3=44;"s, int64_t{44}));
  EXPECT_EQ(solve("17%5+3*4", "right"), std::pair("17%5=2;3*4=12;2+12=14;"s, int64_t{14}));
}

// Each by hand from the table of the suite.
TEST(NanoAnswer, OfEachWrongStrategyIsThatWorkedByHand) {
  const std::vector<std::tuple<std::string, std::string, int64_t>> cases = {{"3*4+5", "add_first", 27},
                                                                            {"3*4+5", "drop_add", 12},
                                                                            {"8+6*9", "add_only", 14},
                                                                            {"30-4+7", "right", 33},
                                                                            {"30-4+7", "add_first", 19},
                                                                            {"30-4+7", "drop_add", 26},
                                                                            {"2+3*4-5", "right", 9},
                                                                            {"2+3*4-5", "left_to_right", 15},
                                                                            {"2+3*4-5", "drop_subtract", 14},
                                                                            {"2+3*4-5", "left_to_right_and_drop", 20},
                                                                            {"7*(2+8)", "wrong_factor", 58},
                                                                            {"25-3*4", "right", 13},
                                                                            {"25-3*4", "left_to_right", 88},
                                                                            {"(2+5)*(9-3)", "right", 42},
                                                                            {"(2+5)*(9-3)", "outer_only", 6},
                                                                            {"17%5+3*4", "sum_first", 4},
                                                                            {"17%5+3*4", "remainder_last", 4},
                                                                            {"3*4+5%5", "no_modulus", 17},
                                                                            {"3*4+5%5", "modulus_less_one", 1},
                                                                            {"3*4+9%7", "modulus_of_last", 14},
                                                                            {"3*4+9%9", "subtract_once", 12},
                                                                            {"3*4+9%9", "modulus_less_one", 5},
                                                                            {"3*4+9%8", "right", 5},
                                                                            {"3x+4=19", "right", 5},
                                                                            {"3x+4=19", "wrong_sign", 7},
                                                                            {"3x+4=19", "no_divide", 15},
                                                                            {"3x-4=11", "wrong_sign", 2},
                                                                            {"3x-4=11", "no_divide", 15},
                                                                            {"3(x+4)=21", "right", 3},
                                                                            {"3(x+4)=21", "wrong_order", 5},
                                                                            {"3(x+4)=21", "no_subtract", 7},
                                                                            {"5x+2=3x+8", "right", 3},
                                                                            {"5x+2=3x+8", "wrong_sign_x", 0},
                                                                            {"5x+2=3x+8", "wrong_sign_number", 5},
                                                                            {"5x+2=3x+8", "ignore_right_x", 1},
                                                                            {"T5:17,14", "always_plus", 29},
                                                                            {"T5:17,14", "n_for_n_less_one", 32},
                                                                            {"T4:2,5", "right", 11},
                                                                            {"T4:2,5", "always_plus", 11},
                                                                            {"S3:2,5", "right", 15},
                                                                            {"S3:2,5", "sum_of_two", 7},
                                                                            {"S3:2,5", "third_term", 8},
                                                                            {"G4:2,6", "right", 54},
                                                                            {"G4:2,6", "arithmetic", 14},
                                                                            {"G4:2,6", "one_too_many", 162},
                                                                            {"F5:3,5", "right", 21},
                                                                            {"F5:3,5", "one_too_few", 13},
                                                                            {"F5:3,5", "arithmetic", 11},
                                                                            {"F5:3,5", "doubling", 40},
                                                                            {"V:9168", "sum_of_odds", 10},
                                                                            {"V:9168", "first_two", 10},
                                                                            {"K:3927", "right", 7},
                                                                            {"K:3927", "largest", 9},
                                                                            {"K:3927", "third", 3},
                                                                            {"E:4637", "sum_of_evens", 10},
                                                                            {"E:4637", "product_of_odds", 21},
                                                                            {"P:2345", "right", 22},
                                                                            {"P:2345", "neighbours", 26},
                                                                            {"P:2345", "outer_only", 10},
                                                                            {"P:2345", "inner_only", 12}};
  for (const auto& [text, strategy, answer] : cases) EXPECT_EQ(solve(text, strategy).second, answer) << text << strategy;
}

TEST(ChainStep, CarriesASlipOnAndNeverReachesZeroByIt) {
  Chain chain(Slip{0, -2});
  const int64_t first = chain.step(2, '-', 1);
  EXPECT_EQ(first, 3);
  chain.step(9, '/', first);
  EXPECT_EQ(chain.text(), "2-1=3;9/3=3;");
}

TEST(ApplyOperation, FloorsDivisionAndTakesTheModulusOfNegativeNumbersUpwards) {
  EXPECT_EQ(apply_operation(-7, '/', 2), -4);
  EXPECT_EQ(apply_operation(-7, '%', 2), 1);
  EXPECT_EQ(apply_operation(7, '/', 2), 3);
}

// An evaluation of the texts that shares nothing with the strategies.
int64_t independent_answer(const std::string& kind, const std::string& text) {
  long long n[6] = {};
  const char* t = text.c_str();
  if (kind == "prec1") return std::sscanf(t, "%lld*%lld+%lld", n, n + 1, n + 2) == 3 ? n[0] * n[1] + n[2] : -999;
  if (kind == "prec2") return std::sscanf(t, "%lld+%lld*%lld", n, n + 1, n + 2) == 3 ? n[0] + n[1] * n[2] : -999;
  if (kind == "prec3") return std::sscanf(t, "%lld-%lld+%lld", n, n + 1, n + 2) == 3 ? n[0] - n[1] + n[2] : -999;
  if (kind == "prec4") {
    return std::sscanf(t, "%lld+%lld*%lld-%lld", n, n + 1, n + 2, n + 3) == 4 ? n[0] + n[1] * n[2] - n[3] : -999;
  }
  if (kind.starts_with("mod")) {
    std::sscanf(t, "%lld*%lld+%lld%%%lld", n, n + 1, n + 2, n + 3);
    return (n[0] * n[1] + n[2]) % n[3];
  }
  if (kind.starts_with("lin")) {  // try every x
    for (int64_t x = 0; x < 100; ++x) {
      if (kind == "lin1" && std::sscanf(t, "%lldx+%lld=%lld", n, n + 1, n + 2) == 3 && n[0] * x + n[1] == n[2]) return x;
      if (kind == "lin2" && std::sscanf(t, "%lldx-%lld=%lld", n, n + 1, n + 2) == 3 && n[0] * x - n[1] == n[2]) return x;
      if (kind == "lin3" && std::sscanf(t, "%lld(x+%lld)=%lld", n, n + 1, n + 2) == 3 && n[0] * (x + n[1]) == n[2]) return x;
      if (kind == "lin4" && std::sscanf(t, "%lldx+%lld=%lldx+%lld", n, n + 1, n + 2, n + 3) == 4 &&
          n[0] * x + n[1] == n[2] * x + n[3]) {
        return x;
      }
    }
    return -999;
  }
  if (kind == "same1") return std::sscanf(t, "%lld*(%lld+%lld)", n, n + 1, n + 2) == 3 ? n[0] * n[1] + n[0] * n[2] : -999;
  if (kind == "same2") return std::sscanf(t, "%lld-%lld*%lld", n, n + 1, n + 2) == 3 ? n[0] - n[1] * n[2] : -999;
  if (kind == "many1") {
    std::sscanf(t, "(%lld+%lld)*(%lld-%lld)", n, n + 1, n + 2, n + 3);
    return n[0] * n[2] + n[1] * n[2] - n[0] * n[3] - n[1] * n[3];
  }
  if (kind == "many2") {
    return std::sscanf(t, "%lld%%%lld+%lld*%lld", n, n + 1, n + 2, n + 3) == 4 ? n[0] % n[1] + n[2] * n[3] : -999;
  }
  if (kind.starts_with("seq")) {
    std::vector<double> terms(8);
    std::sscanf(t + 1, "%lld:%lld,%lld", n, n + 1, n + 2);
    terms[1] = static_cast<double>(n[1]);
    terms[2] = static_cast<double>(n[2]);
    for (size_t i = 3; i < 8; ++i) {
      if (kind == "seqG") terms[i] = terms[i - 1] * (terms[2] / terms[1]);
      if (kind == "seqF") terms[i] = terms[i - 1] + terms[i - 2];
      if (kind == "seqT" || kind == "seqS") terms[i] = terms[1] + (terms[2] - terms[1]) * static_cast<double>(i - 1);
    }
    if (kind == "seqS") return std::lround(terms[1] + terms[2] + terms[3]);
    return std::lround(terms[static_cast<size_t>(n[0])]);
  }
  std::vector<int64_t> d;
  for (size_t i = 2; i < 6; ++i) d.push_back(text[i] - '0');
  if (kind == "listP") return d[0] * d[3] + d[1] * d[2];
  if (kind == "listK") {
    std::multiset<int64_t> sorted(d.begin(), d.end());
    return *std::next(sorted.begin(), 2);
  }
  int64_t sum = 0;
  int64_t product = 1;
  for (const int64_t digit : d) {
    if (digit % 2 == 0) sum += digit, product *= digit;
  }
  return kind == "listV" ? sum : product;
}

template <typename Body>
void for_each_problem(const SuiteSplits& splits, Body&& body) {
  for (const auto* split : {&splits.train, &splits.validation, &splits.test}) {
    for (const auto& [name, set] : *split) {
      for (const harness::Problem& problem : set.problems) body(problem);
    }
  }
}

TEST(NanoSplits, AreDisjointByTextAndHaveTheAskedSizes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const SuiteSplits splits = make_nano_splits(seed);
    std::set<std::string> texts;
    std::set<std::string> ids;
    size_t count = 0;
    for_each_problem(splits, [&](const harness::Problem& problem) {
      texts.insert(problem.text);
      ids.insert(problem.id);
      ++count;
    });
    EXPECT_EQ(count, 24u * 27);
    EXPECT_EQ(texts.size(), count);
    EXPECT_EQ(ids.size(), count);
    ASSERT_EQ(splits.train.size(), 6u);
    for (const std::string& name : arena_set_names()) {
      EXPECT_EQ(splits.train.at(name).problems.size(), 48u);
      EXPECT_EQ(splits.validation.at(name).problems.size(), 20u);
      EXPECT_EQ(splits.test.at(name).problems.size(), 40u);
      EXPECT_EQ(splits.test.at(name).name, "nano/" + name);
    }
  }
}

TEST(NanoSplits, HaveAnswersThatAnIndependentEvaluationGives) {
  NanoSettings settings;
  settings.train = 49;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    for_each_problem(make_nano_splits(seed, settings), [](const harness::Problem& problem) {
      EXPECT_EQ(problem.answer, std::to_string(independent_answer(problem.kind, problem.text))) << problem.text;
      EXPECT_FALSE(problem.error_labels.contains(problem.answer)) << problem.text;
      EXPECT_TRUE(problem.has_error_labels);
      EXPECT_FALSE(problem.error_labels.empty());
    });
  }
}

TEST(NanoSplits, DependOnTheSeedAndOnNothingElse) {
  const auto hash = [](uint64_t seed) { return make_nano_splits(seed).train.at("lin").content_hash(); };
  EXPECT_EQ(hash(3), hash(3));
  EXPECT_NE(hash(3), hash(4));
}

TEST(NanoSplits, KeepTheTestProblemsWhenOtherSplitsGrow) {
  NanoSettings larger;
  larger.train = 40;
  EXPECT_EQ(make_nano_splits(1).test.at("seq").content_hash(), make_nano_splits(1, larger).test.at("seq").content_hash());
}

TEST(NanoSplits, CanUseUpTheWholeOfASmallKindAndRefuseMore) {
  NanoSettings settings;
  settings.validation = 0;
  settings.test = 0;
  settings.train = 76;  // all of seqG
  EXPECT_EQ(make_nano_splits(0, settings).train.at("seq").problems.size(), 4u * 76);
  settings.train = 77;
  EXPECT_THROW(make_nano_splits(0, settings), harness::Error);
}

TEST(NanoErrorLabels, NameTheStrategyAndSayAmbiguousWhereTwoAgree) {
  for (const ProceduralKind& kind : nano_kinds()) {
    if (kind.name == "prec2") {
      const auto labels = error_labels(kind.strategies, *numbers_of(kind, "8+6*9"));
      EXPECT_EQ(labels, (std::map<std::string, std::string>{{"126", "left_to_right"}, {"14", "add_only"}}));
    }
    if (kind.name == "listV") {  // odds 9+1 and first two 9+1
      EXPECT_EQ(error_labels(kind.strategies, *numbers_of(kind, "V:9168")),
                (std::map<std::string, std::string>{{"10", "ambiguous"}}));
    }
  }
}

TEST(NanoKinds, KeepTheirDigitsInRange) {
  for (const ProceduralKind& kind : arena_kinds()) {
    for (uint64_t i = 0; i < 300; ++i) {
      Draws draws(harness::RandomStream("digits", {i}));
      const Numbers numbers = kind.draw(draws);
      const std::string text = kind.text(numbers);
      EXPECT_EQ(numbers_of(kind, text), numbers) << text;
      EXPECT_LE(text.size() + 2, 13u) << text;  // bos, text, "?"
      const int64_t low = kind.set == "prec" || kind.name == "listK" ? 2 : 1;
      for (const int64_t n : numbers) EXPECT_GE(n, low) << text;
      if (kind.name == "prec3") {
        EXPECT_TRUE(numbers[0] >= 20 && numbers[0] <= 39) << text;
      }
      if (kind.name == "seqG") {
        EXPECT_LE(answer_of(kind.strategies.back(), numbers), 200) << text;
      }
    }
  }
}

TEST(NanoDemonstrations, RealiseTheSharesOfTheTable) {
  const auto source = nano_demonstrations(0);
  constexpr uint64_t kDraws = 20'000;
  std::map<std::string, std::map<std::string, double>> counts;
  std::map<std::string, double> totals;
  double slips = 0;
  size_t longest = 0;
  const std::string characters = nano_characters();
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Demonstration demonstration = source->draw(i);
    counts[demonstration.kind][demonstration.strategy] += 1;
    totals[demonstration.kind] += 1;
    slips += demonstration.slip;
    longest = std::max(longest, response_tokens(demonstration.response));
    const std::string plain = demonstration.prompt + demonstration.response.substr(0, demonstration.response.find("\\boxed{")) +
                              demonstration.response.substr(demonstration.response.find("\\boxed{") + 7);
    ASSERT_EQ(plain.find_first_not_of(characters), std::string::npos) << plain;
  }
  EXPECT_LE(longest, 48u);
  // Seven standard errors of a binomial share: a false alarm in 61 comparisons has a chance below 61 * 2.6e-12 = 2e-10 by the
  // normal tail; rare strategies get the 4 / total of a Poisson count besides.
  for (const ProceduralKind& kind : nano_kinds()) {
    const double total = totals[kind.name];
    EXPECT_NEAR(total, kDraws / 20.0, 7 * std::sqrt(kDraws / 20.0));
    for (const Strategy& strategy : kind.strategies) {
      const double tolerance = 7 * std::sqrt(strategy.share * (1 - strategy.share) / total) + 4 / total;
      EXPECT_NEAR(counts[kind.name][strategy.name] / total, strategy.share, tolerance) << kind.name << strategy.name;
    }
  }
  // listK has no step that could slip: 19 of 20 kinds do.
  EXPECT_NEAR(slips / kDraws, .05 * 19 / 20, 7 * std::sqrt(.05 * .95 / kDraws));
}

TEST(NanoDemonstrations, NeverShowAValidationOrTestProblem) {
  const SuiteSplits splits = make_nano_splits(5);
  std::set<std::string> held_out;
  for (const auto* split : {&splits.validation, &splits.test}) {
    for (const auto& [name, set] : *split) {
      for (const harness::Problem& problem : set.problems) held_out.insert(problem.text + "?");
    }
  }
  for (const auto& source : {nano_demonstrations(5), arena_demonstrations(5)}) {
    for (uint64_t i = 0; i < 5000; ++i) EXPECT_FALSE(held_out.contains(source->draw(i).prompt));
  }
}

TEST(NanoDemonstrations, AreAPureFunctionOfSeedAndIndex) {
  const auto one = nano_demonstrations(2);
  const auto two = nano_demonstrations(2);
  const auto other = nano_demonstrations(3);
  int64_t different = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(one->draw(49 - i).response, two->draw(49 - i).response);
    different += one->draw(i).prompt != other->draw(i).prompt;
  }
  EXPECT_GT(different, 40);
}

TEST(NanoDemonstrations, TakeOtherSharesAndRefuseOnesThatDoNotSumToOne) {
  NanoSettings settings;
  settings.slips = 0;
  for (const ProceduralKind& kind : nano_kinds()) {
    settings.shares[kind.name] = std::vector<double>(kind.strategies.size(), 0);
    settings.shares[kind.name].back() = 1;
  }
  const auto source = nano_demonstrations(0, settings);
  for (uint64_t i = 0; i < 200; ++i) EXPECT_TRUE(source->draw(i).right);
  settings.shares["prec1"] = {.5, .5, .5};
  EXPECT_THROW(nano_demonstrations(0, settings), harness::Error);
  settings.shares.erase("prec1");
  settings.shares["prec9"] = {1};
  EXPECT_THROW(nano_demonstrations(0, settings), harness::Error);
}

}  // namespace
}  // namespace datasets
