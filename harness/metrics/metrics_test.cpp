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
#include "harness/metrics/error_labels.h"
#include "harness/metrics/set_score.h"
#include "harness/metrics/text_diversity.h"

namespace harness {
namespace {

// A sample with the answer given ("" is none); right where it equals "r".
Outcome sample(const std::string& problem, const std::string& answer, int64_t seed = 0) {
  Outcome outcome;
  outcome.problem = problem;
  outcome.seed = seed;
  outcome.verdicts["g"] = answer == "r" ? "right" : "wrong";
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
    outcome.verdicts["g"] = line["correct"].get<bool>() ? "right" : "wrong";
    outcome.text = line["response"];
    if (line.contains("fingerprint")) outcome.fingerprint = line["fingerprint"].get<std::vector<float>>();
    outcomes.push_back(outcome);
  }
  const SetScore score = score_outcomes(outcomes, "g");
  const Json golden = parse_json(read_file(MEDSBENCH_TEST_DATA "/score.expected.json"));
  EXPECT_EQ(score.n, golden["n"].get<int64_t>());
  EXPECT_EQ(score.problems.size(), golden["problems"].get<size_t>());
  EXPECT_NEAR(score.iqm, golden["iqm"].get<double>(), 1e-14);
  for (const auto& [k, estimate] : score.pass_at_k) {
    EXPECT_NEAR(estimate.value, golden["pass@k"][std::to_string(k)].get<double>(), 1e-14);
    EXPECT_NEAR(score.pass_gain.at(k), golden["pass_gain"][std::to_string(k)].get<double>(), 1e-14);
    // At most C(8, 4) = 70 subsets: visited one by one.
    EXPECT_NEAR(score.maj_at_k.at(k).value, golden["maj@k"][std::to_string(k)].get<double>(), 1e-14);
    for (const auto& [tau, g_pass] : score.g_pass_at_k.at(k)) {
      EXPECT_NEAR(g_pass.value,
                  golden["g_pass@k"][std::to_string(k)][fmt::format("{:.{}f}", tau, tau == 0.75 ? 2 : 1)].get<double>(), 1e-12);
    }
    EXPECT_LE(estimate.low, estimate.value);
    EXPECT_GE(estimate.high, estimate.value);
  }
  EXPECT_EQ(score.pass_at_k.size(), 4U);
  for (const auto& [name, value] : golden["diversity"].items()) {
    EXPECT_NEAR(score.diversity.values.at(name), value.get<double>(), 1e-9) << name;
  }
}

TEST(SetScore, CountsCellsAndShares) {
  auto outcomes = joined(samples("a", {"r", "x", "", "r"}), samples("b", {"x", "x", "y", "r"}));
  outcomes[1].verdicts["g"] = "undecided";
  outcomes[2].finish = "length";
  const SetScore score = score_outcomes(outcomes, "g");
  ASSERT_EQ(score.cells.size(), 2U);
  EXPECT_EQ(score.cells[0].c, 2);
  EXPECT_EQ(score.cells[0].no_answer, 1);
  EXPECT_EQ(score.cells[0].undecided, 1);
  EXPECT_DOUBLE_EQ(score.no_answer_share, 1.0 / 8);
  EXPECT_DOUBLE_EQ(score.truncated_share, 1.0 / 8);
  EXPECT_DOUBLE_EQ(score.pass_at_k.at(1).value, 3.0 / 8);
  EXPECT_DOUBLE_EQ(score.pass_at_k.at(4).value, 1.0);
  EXPECT_DOUBLE_EQ(score.maj_at_k.at(4).value, 0.5);  // a: r twice, x once; b: x
  EXPECT_DOUBLE_EQ(pass_table(score, 2).at(0, 1, 0), 0.5);
}

TEST(SetScore, LeavesOutAKThatSomeProblemHasTooFewSamplesFor) {
  const auto outcomes = joined(samples("a", {"r", "x", "x", "x"}), samples("b", {"x", "r"}));
  ScoreSettings settings;
  settings.ks = {4, 1, 2};
  const SetScore score = score_outcomes(outcomes, "g", settings);
  EXPECT_EQ(score.n, 2);
  EXPECT_EQ(score.n_largest, 4);
  EXPECT_EQ(score.ks, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(score.undefined_ks, (std::vector<int64_t>{4}));
  EXPECT_DOUBLE_EQ(score.pass_at_k.at(2).value, 0.75);
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

TEST(ErrorLabels, SharesAndEntropyByHand) {
  auto outcomes = joined(samples("a", {"r", "x", "y", "z", ""}), samples("b", {"r", "r"}));
  outcomes[1].error_label = outcomes[2].error_label = "sum instead of product";
  outcomes[3].error_label = "slip";
  const ErrorLabelReport report = error_labels_of(outcomes, "g");
  EXPECT_EQ(report.wrong, 3);
  EXPECT_EQ(report.unlabelled, 1);
  EXPECT_EQ(report.left_out, 1);
  EXPECT_DOUBLE_EQ(report.shares.at("sum instead of product"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(report.slip_share, 1.0 / 3);
  EXPECT_NEAR(report.mean_entropy, std::log(3.0) - 2.0 / 3 * std::log(2.0), 1e-15);
  EXPECT_DOUBLE_EQ(report.mean_labels, 2);
}

TEST(ErrorClusters, OfTwoStrategiesAgreeWithTheirLabels) {
  // Two tight groups in two directions; the slip lies in the first.
  auto outcomes = samples("a", {"x", "x", "x", "y", "y", "y", "s"});
  const std::vector<std::vector<float>> rows = {{1, 0.01F}, {1, 0.02F},  {1, 0.035F}, {0.01F, 1},
                                                {0.02F, 1}, {0.035F, 1}, {1, 0.05F}};
  for (size_t i = 0; i < outcomes.size(); ++i) {
    outcomes[i].fingerprint = rows[i];
    outcomes[i].error_label = i < 3 ? "first" : i < 6 ? "second" : "slip";
  }
  EXPECT_DOUBLE_EQ(diversity_of(outcomes, "g").values.at("error_clusters"), 2);
  const ErrorClusterReport report = error_cluster_agreement(outcomes, "g", false);
  EXPECT_EQ(report.cells, 1);
  EXPECT_DOUBLE_EQ(report.labels.adjusted_rand, 1);
  EXPECT_DOUBLE_EQ(report.answers.purity, 1);
  EXPECT_LT(error_cluster_agreement(outcomes, "g").labels.homogeneity, 1);
}

}  // namespace
}  // namespace harness
