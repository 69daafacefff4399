#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/metrics/cluster_agreement.h"
#include "harness/metrics/diversity.h"
#include "harness/metrics/error_clusters.h"
#include "harness/metrics/fingerprints.h"
#include "harness/metrics/problem_counts.h"
#include "harness/metrics/quantity.h"
#include "harness/metrics/set_score.h"
#include "harness/metrics/text_diversity.h"

namespace harness {
namespace {

// A sample with the answer given ("" is none); right where it equals "r".
Outcome sample(const std::string& problem, const std::string& answer, int64_t seed = 0) {
  Outcome outcome;
  outcome.problem = problem;
  outcome.seed = seed;
  outcome.verdicts["g"] = answer == "r" ? Correctness::right : Correctness::wrong;
  if (!answer.empty()) outcome.extracted = outcome.normalised = answer;
  return outcome;
}

std::vector<Outcome> samples(const std::string& problem, const std::vector<std::string>& answers, int64_t seed = 0) {
  std::vector<Outcome> outcomes;
  for (const std::string& answer : answers) {
    outcomes.push_back(sample(problem, answer, seed));
    outcomes.back().sample = static_cast<int64_t>(outcomes.size()) - 1;
  }
  return outcomes;
}

std::vector<Outcome> joined(std::vector<Outcome> first, const std::vector<Outcome>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(SetScore, AgreesWithIndependentPrograms) {
  std::vector<Outcome> outcomes;
  std::ifstream file(MEDSBENCH_TEST_DATA "/score.jsonl");
  for (std::string text; std::getline(file, text);) {
    const Json line = parse_json(text);
    Outcome outcome = sample(line["problem"], line["answer"].is_null() ? "" : line["answer"].get<std::string>(), line["seed"]);
    outcome.verdicts["g"] = line["correct"].get<bool>() ? Correctness::right : Correctness::wrong;
    outcome.text = line["response"];
    if (line.contains("fingerprint")) outcome.fingerprint = line["fingerprint"].get<std::vector<float>>();
    outcomes.push_back(outcome);
  }
  const SetScore score = score_outcomes(outcomes, "g");
  const Json golden = parse_json(read_file(MEDSBENCH_TEST_DATA "/score.expected.json"));
  EXPECT_EQ(score.n, golden["n"].get<int64_t>());
  EXPECT_EQ(score.problems, golden["problems"].get<int64_t>());
  EXPECT_NEAR(score.iqm, golden["iqm"].get<double>(), 1e-14);
  for (const auto& [quantity, estimate] : score.means) {
    const std::string k = std::to_string(quantity.k);
    EXPECT_LE(estimate.low, estimate.value);
    EXPECT_GE(estimate.high, estimate.value);
    if (quantity.kind == Quantity::Kind::g_pass) {
      const std::string tau = fmt::format("{:.{}f}", quantity.tau, quantity.tau == 0.75 ? 2 : 1);
      EXPECT_NEAR(estimate.value, golden["g_pass@k"][k][tau].get<double>(), 1e-12);
      continue;
    }
    // maj@k: at most C(8, 4) = 70 subsets, visited one by one.
    const char* name = quantity.kind == Quantity::Kind::maj ? "maj@k" : "pass@k";
    EXPECT_NEAR(estimate.value, golden[name][k].get<double>(), 1e-14) << quantity.name();
    if (quantity.kind == Quantity::Kind::maj) continue;
    EXPECT_NEAR(estimate.value - score.pass_rate, golden["pass_gain"][k].get<double>(), 1e-14);
  }
  EXPECT_EQ(score.means.size(), 4U * 5U);  // k = 1, 2, 4, 8
  for (const auto& [name, value] : golden["diversity"].items()) {
    EXPECT_NEAR(score.diversity.values.at(name), value.get<double>(), 1e-9) << name;
  }
}

TEST(SetScore, OfASmallSetByHand) {
  auto outcomes = joined(samples("a", {"r", "x", "", "r"}), samples("b", {"x", "x", "y", "r"}));
  outcomes[1].verdicts["g"] = Correctness::undecided;
  const SetScore score = score_outcomes(outcomes, "g");
  EXPECT_EQ(score.seeds, 1);
  EXPECT_EQ(score.problems, 2);
  EXPECT_DOUBLE_EQ(score.means.at(Quantity::pass(1)).value, 3.0 / 8);
  EXPECT_DOUBLE_EQ(score.means.at(Quantity::pass(4)).value, 1.0);
  EXPECT_DOUBLE_EQ(score.means.at({Quantity::Kind::maj, 4, 0}).value, 0.5);  // a: r twice, x once; b: x
}

TEST(SetScore, LeavesOutAKThatSomeProblemHasTooFewSamplesFor) {
  const auto outcomes = joined(samples("a", {"r", "x", "x", "x"}), samples("b", {"x", "r"}));
  ScoreSettings settings;
  settings.ks = {4, 1, 2};
  const SetScore score = score_outcomes(outcomes, "g", settings);
  EXPECT_EQ(score.n, 2);
  EXPECT_EQ(score.n_largest, 4);
  EXPECT_EQ(score.means.size(), 2U * 5U);
  EXPECT_EQ(score.undefined_ks, (std::vector<int64_t>{4}));
  EXPECT_DOUBLE_EQ(score.means.at(Quantity::pass(2)).value, 0.75);
}

TEST(SetScore, IsTheSameForAnyOrderOfProblemsAndSeeds) {
  const auto a = samples("a", {"r", "x", "x", "y"}, 1);
  const auto b = samples("b", {"x", "r", "", "y"}, 2);
  EXPECT_EQ(dump_line(to_json(score_outcomes(joined(a, b), "g"))), dump_line(to_json(score_outcomes(joined(b, a), "g"))));
}

TEST(SetScore, RefusesNothingAndAnUnknownGrader) {
  EXPECT_THROW(score_outcomes({}, "g"), Error);
  EXPECT_THROW(score_outcomes(samples("a", {"r"}), "other"), Error);
}

TEST(ProblemCounts, OfASmallProblemByHand) {
  // Right: r twice. Wrong: x x y, two without an answer, and a second-rate y that the grader could not tell.
  auto outcomes = samples("a", {"x", "r", "", "x", "r", "y", "", "y"});
  outcomes[7].verdicts["g"] = Correctness::undecided;
  outcomes[0].error_label = outcomes[3].error_label = "first";
  outcomes[5].error_label = "slip";
  outcomes[1].error_label = "of a right one: not counted";
  for (Outcome& outcome : outcomes) outcome.verdicts["other"] = Correctness::wrong;
  outcomes[1].verdicts["other"] = Correctness::right;
  outcomes[5].verdicts["other"] = Correctness::right;
  Samples list;
  for (const Outcome& outcome : outcomes) list.push_back(&outcome);
  const ProblemCounts counts = count_problem(list, "g");
  EXPECT_EQ(counts.n, 8);
  EXPECT_EQ(counts.right, 2);
  EXPECT_EQ(counts.undecided, 1);
  EXPECT_EQ(counts.no_answer, 2);
  EXPECT_EQ(counts.disagree, 2);  // the second r and the first y
  EXPECT_EQ(counts.distinct_answers, 3);
  EXPECT_NEAR(counts.answer_entropy, std::log(3.0), 1e-15);
  EXPECT_EQ(counts.wrong_groups, (std::vector<int64_t>{2, 2}));
  EXPECT_DOUBLE_EQ(counts.largest_wrong_share, 2.0 / 6);
  EXPECT_EQ(counts.error_labels, (std::map<std::string, int64_t>{{"first", 2}, {"slip", 1}}));
  EXPECT_EQ(counts.votes.answers, (std::vector<int64_t>{0, 1, -1, 0, 1, 2, -1, 2}));
  EXPECT_EQ(counts.votes.right, (std::vector<double>{0, 1, 0}));
}

TEST(ProblemCounts, MissingAnswersAreAWrongGroupInTheShareAndNowhereElse) {
  const std::vector<GradedAnswer> answers = {{Correctness::wrong, {}}, {Correctness::wrong, {}}, {Correctness::wrong, "x"}};
  const ProblemCounts counts = count_problem(answers);
  EXPECT_EQ(counts.wrong_groups, (std::vector<int64_t>{1}));
  EXPECT_DOUBLE_EQ(counts.largest_wrong_share, 2.0 / 3);
  EXPECT_EQ(counts.distinct_answers, 1);
  EXPECT_EQ(counts.answer_entropy, 0);
  const ProblemCounts none = count_problem(std::vector<GradedAnswer>{{Correctness::wrong, {}}});
  EXPECT_TRUE(std::isnan(none.answer_entropy));
  EXPECT_DOUBLE_EQ(none.largest_wrong_share, 1);
  EXPECT_TRUE(std::isnan(count_problem(std::vector<GradedAnswer>{{Correctness::right, "r"}}).largest_wrong_share));
}

TEST(Quantity, IsParsedFromItsNameAndRefusesOthers) {
  for (const char* name : {"pass@8", "g_pass@8_0.5", "g_pass@16_1", "maj@4", "distinct_answers", "answer_entropy", "no_answer",
                           "undecided", "disagreement", "iqm", "train_pass_rate", "rollout_pass_rate", "tokens_generated",
                           "responses_generated", "responses_kept", "updates", "visits_per_problem"}) {
    EXPECT_EQ(parse_quantity(name).name(), name);
  }
  EXPECT_EQ(parse_quantity("g_pass@8_0.75"), (Quantity{Quantity::Kind::g_pass, 8, 0.75}));
  EXPECT_EQ(parse_quantity("g_pass@8_0.75").heading(), "G-pass@8 at 0.75");
  EXPECT_EQ(parse_quantity("distinct_answers").heading(), "distinct answers");
  for (const char* name : {"", "pass", "pass@", "pass@0", "pass@x", "pass@8 ", "g_pass@2", "g_pass@2_", "g_pass@2_1.5",
                           "mode@2", "updates@2", "distinct"}) {
    EXPECT_THROW(parse_quantity(name), Error) << name;
  }
}

// The tables of a few quantities of one problem of seed 1.
std::vector<double> values_of(const ProblemCounts& counts, const std::vector<std::string>& names) {
  const SetCounts set = {{"a", counts}};
  std::vector<Quantity> quantities;
  for (const std::string& name : names) quantities.push_back(parse_quantity(name));
  std::vector<double> values;
  for (const SeedTable& table : seed_tables({{1, &set}}, quantities)) values.push_back(table.at(0, 0));
  return values;
}

TEST(SeedTables, OfASmallProblemWorkedByHand) {
  const std::vector<GradedAnswer> answers = {
      {Correctness::right, "4"}, {Correctness::wrong, "5"}, {Correctness::right, "4"}, {Correctness::undecided, {}}};
  const auto values = values_of(count_problem(answers), {"pass@1", "pass@2", "maj@2", "maj@4", "g_pass@2_1", "g_pass@2_0.5",
                                                         "distinct_answers", "no_answer", "undecided", "disagreement"});
  // Pairs: 4,5 tie; 4,4; 4 and nothing; 5,4 tie; 5 and nothing; 4 and nothing: (0.5 + 1 + 1 + 0.5 + 0 + 1) / 6.
  const std::vector<double> expected = {0.5, 1 - 1.0 / 6, 4.0 / 6, 1, 1.0 / 6, 5.0 / 6, 2, 0.25, 0.25, 0};
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-12) << i;
  for (const double value : values_of(count_problem(answers), {"pass@8", "g_pass@8_1", "maj@8"}))
    EXPECT_TRUE(std::isnan(value));
}

TEST(SeedTables, OfCountsAloneHaveNoMajority) {
  ProblemCounts counts;
  counts.n = 4;
  counts.right = 1;
  const auto values = values_of(counts, {"pass@2", "maj@2"});
  EXPECT_DOUBLE_EQ(values[0], 0.5);
  EXPECT_TRUE(std::isnan(values[1]));
}

TEST(SeedTables, HaveEveryProblemOfAnySeedAndNothingWhereASeedLacksIt) {
  ProblemCounts counts;
  counts.n = 2;
  counts.right = 1;
  const SetCounts first = {{"b", counts}, {"a", counts}}, second = {{"c", counts}};
  const SeedTable table = seed_tables({{7, &second}, {3, &first}}, std::vector{Quantity::pass(1)}).front();
  EXPECT_EQ(table.seeds, (std::vector<int64_t>{3, 7}));
  EXPECT_EQ(table.problems, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_DOUBLE_EQ(table.at(0, 1), 0.5);
  EXPECT_DOUBLE_EQ(table.at(1, 2), 0.5);
  EXPECT_TRUE(std::isnan(table.at(0, 2)) && std::isnan(table.at(1, 0)));
}

TEST(Diversity, AnswerMetricsByHand) {
  // Wrong: x x y and the two missing ones; answers: r x x y.
  const DiversityReport report = diversity_of(samples("a", {"r", "x", "x", "", "", "y"}), "g");
  EXPECT_DOUBLE_EQ(report.values.at("distinct_answers"), 3);
  EXPECT_DOUBLE_EQ(report.values.at("largest_wrong_share"), 2.0 / 5);
  EXPECT_NEAR(report.values.at("answer_entropy"), 1.5 * std::log(2.0), 1e-15);
  EXPECT_TRUE(std::isnan(report.values.at("error_clusters")));
  EXPECT_TRUE(std::isnan(report.values.at("self_bleu_4")));
}

TEST(Diversity, UndefinedProblemsAreLeftOutAndCounted) {
  const DiversityReport report = diversity_of(joined(samples("a", {"r", "r"}), samples("b", {"x", "y"})), "g");
  EXPECT_DOUBLE_EQ(report.values.at("largest_wrong_share"), 0.5);
  EXPECT_EQ(report.left_out.at("largest_wrong_share"), 1);
  const OrderedJson json = to_json(report);
  EXPECT_EQ(json["left_out"]["largest_wrong_share"], 1);
  EXPECT_TRUE(json["vendi"].is_null());
}

TEST(Fingerprints, OrthogonalPairByHand) {
  const std::vector<std::vector<float>> rows = {{2, 0}, {0, 3}};
  EXPECT_NEAR(mean_cosine_distance(rows), 1, 1e-15);
  EXPECT_NEAR(vendi_score(rows), 2, 1e-15);
  EXPECT_NEAR(eigen_ratio(rows), 1, 1e-15);  // two points lie on a line
}

TEST(Fingerprints, EqualRowsHaveOneDirectionAndNoSpread) {
  const std::vector<std::vector<float>> rows(5, {0.1F, 0.7F, -0.3F});
  EXPECT_NEAR(vendi_score(rows), 1, 1e-12);
  EXPECT_NEAR(mean_cosine_distance(rows), 0, 1e-15);
  EXPECT_TRUE(std::isnan(eigen_ratio(rows)));
}

TEST(Fingerprints, RowsThatAreNotFiniteOrZeroAreLeftOut) {
  const std::vector<std::vector<float>> rows = {{1, 0}, {std::numeric_limits<float>::quiet_NaN(), 1}, {0, 0}, {0, 1}};
  EXPECT_NEAR(mean_cosine_distance(rows), 1, 1e-15);
  EXPECT_THROW(vendi_score(std::vector<std::vector<float>>{{1, 0}, {1}}), Error);
}

RC_GTEST_PROP(Fingerprints, DualAndPrimalAgree, ()) {
  // More columns than rows takes the n x n matrix, padding with zero columns must change nothing.
  const auto n = *rc::gen::inRange(2, 9);
  std::vector<std::vector<float>> narrow, wide;
  for (int i = 0; i < n; ++i) {
    std::vector<float> row;
    for (int j = 0; j < 3; ++j) row.push_back(static_cast<float>(*rc::gen::inRange(-9, 10)) + 0.5F);
    narrow.push_back(row);
    row.resize(20, 0.0F);
    wide.push_back(row);
  }
  RC_ASSERT(std::abs(vendi_score(narrow) - vendi_score(wide)) < 1e-9);
  const double ratio = eigen_ratio(narrow);
  RC_ASSERT(std::isnan(ratio) || std::abs(ratio - eigen_ratio(wide)) < 1e-9);
}

TEST(DistinctShare, CountsWithinTextsAndOverThemTogether) {
  const auto words = number_words(std::vector<std::string>{"a b a b",
                                                           "a\xc2\xa0"
                                                           "b\n c "});
  EXPECT_EQ(words[1].size(), 3U);
  EXPECT_DOUBLE_EQ(distinct_share(words, 1), 3.0 / 7);
  EXPECT_DOUBLE_EQ(distinct_share(words, 2), 3.0 / 5);  // ab ba ab | ab bc
  EXPECT_DOUBLE_EQ(distinct_share(words, 4), 1.0);
  EXPECT_TRUE(std::isnan(distinct_share(words, 5)));
}

TEST(SelfBleu, OfEqualTextsIsAHundredAndOfStrangersZero) {
  EXPECT_NEAR(self_bleu_4(number_words(std::vector<std::string>{"a b c d e", "a b c d e"})), 100, 1e-12);
  EXPECT_EQ(self_bleu_4(number_words(std::vector<std::string>{"a b c d", "e f g h"})), 0);
  EXPECT_EQ(self_bleu_4(number_words(std::vector<std::string>{"a b c", "a b c"})), 0);  // below four words
  EXPECT_TRUE(std::isnan(self_bleu_4(number_words(std::vector<std::string>{"a b c d"}))));
}

TEST(ClusterAgreement, AgreesWithScikitLearn) {
  for (const Json& item : parse_json(read_file(MEDSBENCH_TEST_DATA "/agreement.json"))) {
    const auto agreement =
        cluster_agreement(item["clusters"].get<std::vector<int64_t>>(), item["classes"].get<std::vector<int64_t>>());
    EXPECT_NEAR(agreement.adjusted_rand, item["adjusted_rand"].get<double>(), 1e-12);
    EXPECT_NEAR(agreement.homogeneity, item["homogeneity"].get<double>(), 1e-12);
    EXPECT_NEAR(agreement.completeness, item["completeness"].get<double>(), 1e-12);
    EXPECT_NEAR(agreement.purity, item["purity"].get<double>(), 1e-12);
  }
}

TEST(ErrorClusters, OfTwoStrategiesAgreeWithTheirLabels) {
  // Two tight groups in two directions; the last wrong answer lies in the first and has no label, the right one counts nowhere.
  auto outcomes = samples("a", {"x", "x", "x", "y", "y", "y", "s", "r"});
  const std::vector<std::vector<float>> rows = {{1, 0.01F}, {1, 0.02F},  {1, 0.035F}, {0.01F, 1},
                                                {0.02F, 1}, {0.035F, 1}, {1, 0.05F},  {1, 1}};
  for (size_t i = 0; i < outcomes.size(); ++i) {
    outcomes[i].fingerprint = rows[i];
    outcomes[i].error_label = i < 3 ? "first" : i < 6 ? "second" : "";
  }
  EXPECT_DOUBLE_EQ(diversity_of(outcomes, "g").values.at("error_clusters"), 2);
  const ErrorClusterReport report = error_cluster_agreement(outcomes, "g");
  EXPECT_EQ(report.compared, 1);
  EXPECT_EQ(report.agreement.items, 6);
  EXPECT_DOUBLE_EQ(report.agreement.adjusted_rand, 1);
  outcomes[6].error_label = "second";
  EXPECT_LT(error_cluster_agreement(outcomes, "g").agreement.homogeneity, 1);
  EXPECT_TRUE(std::isnan(error_cluster_agreement(samples("a", {"x", "y"}), "g").agreement.purity));
}

}  // namespace
}  // namespace harness
