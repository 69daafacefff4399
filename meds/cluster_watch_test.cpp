#include "meds/cluster_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/cluster/hdbscan.h"
#include "harness/core/random.h"
#include "harness/core/testing.h"

namespace meds {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;

struct Sampled {
  std::vector<float> readout;
  std::string answer, label;
  uint64_t problem = 1;
  bool correct = false;
};

std::vector<harness::Sample> samples_of(const std::vector<Sampled>& sampled) {
  std::vector<harness::Sample> samples;
  for (const Sampled& s : sampled) {
    harness::Sample sample;
    sample.problem = s.problem;
    sample.correct = s.correct;
    sample.readout = s.readout;
    sample.has_answer = !s.answer.empty();
    sample.answer = s.answer;
    sample.error_label = s.label;
    samples.push_back(sample);
  }
  return samples;
}

// Two errors with two answers and one slip that lies with the first, under a readout of four layers whose last two tell the
// errors apart and whose first two tell nothing.
std::vector<Sampled> two_errors() {
  return {{{1, 1, 1, 0.00F}, "8", "left to right"}, {{1, 1, 1, 0.01F}, "8", "left to right"},
          {{1, 1, 1, 0.03F}, "9", "slip"},          {{1, 1, 0.00F, 1}, "5", "drop last"},
          {{1, 1, 0.01F, 1}, "5", "drop last"},     {{1, 1, 0.03F, 1}, "5", "drop last"}};
}

TEST(ClusterWatch, AgreementIsThatWorkedByHand) {
  ClusterWatch watch(watched_choices("last2,single,answers"));
  const auto values = watch.observe(samples_of(two_errors()), 1);
  EXPECT_EQ(watch.labels(1, 0), (std::vector<int64_t>{0, 0, 0, 1, 1, 1}));
  // Clusters {l, l, s} and {d, d, d}: pairs together 3 + 3, in both 1 + 3; classes 2, 1, 3 have 1 + 0 + 3 pairs.
  // Expected 6 * 4 / 15 = 1.6, largest 5: (4 - 1.6) / (5 - 1.6).
  EXPECT_NEAR(values.at("clusters/last2/labels/adjusted_rand"), 2.4 / 3.4, 1e-12);
  EXPECT_NEAR(values.at("clusters/last2/labels/purity"), 5.0 / 6, 1e-12);
  EXPECT_NEAR(values.at("clusters/last2/labels/completeness"), 1, 1e-12);
  EXPECT_NEAR(values.at("clusters/last2/labels_without_slips/adjusted_rand"), 1, 1e-12);
  EXPECT_NEAR(values.at("clusters/last2/labels_without_slips/homogeneity"), 1, 1e-12);
  EXPECT_NEAR(values.at("clusters/last2/answers/purity"), 5.0 / 6, 1e-12);
  EXPECT_EQ(values.at("clusters/single/labels/adjusted_rand"), 0);
  EXPECT_NEAR(values.at("clusters/single/labels/purity"), 0.5, 1e-12);
  EXPECT_NEAR(values.at("clusters/answers/labels/adjusted_rand"), 1, 1e-12);
  EXPECT_EQ(values.at("clusters/last2/noise"), 0);
  EXPECT_EQ(values.at("clusters/last2/per_problem"), 2);
  EXPECT_EQ(values.at("clusters/answers/place"), 2);
  EXPECT_EQ(values.at("cluster_size/3"), 1);
  EXPECT_EQ(values.at("cluster_size/5"), 0);
}

TEST(ClusterWatch, WhoIsRightWhereClustersAndAnswersDifferIsWorkedByHand) {
  ClusterWatch watch(watched_choices("last2,single,answers"));
  std::vector<Sampled> samples = two_errors();
  samples[4].answer = "6";                                // one error, one cluster, two answers
  samples[2].answer = "8";                                // the slip: the cluster and the answer of another error
  samples[1].answer = "5";                                // an answer of the other error
  samples.push_back({{1, 1, -1, -1}, "5", "drop last"});  // in no cluster
  samples.push_back({{1, 1, 1, 0.02F}, "8", ""});         // without a label: in no pair
  samples.push_back({{1, 2, 3, 4}, "1", "a", 2});         // another problem: two in no cluster,
  samples.push_back({{1, 2, 5, 4}, "1", "a", 2});         // with one answer
  const auto values = watch.observe(samples_of(samples), 1);
  ASSERT_EQ(watch.labels(1, 0), (std::vector<int64_t>{0, 0, 0, 1, 1, 1, -1, 0}));
  // Answers 8 5 8 | 5 6 5 | 5, labels l l s | d d d | d. Of 21 + 1 pairs differ, clusters together: 01 (right), 12 (wrong: l
  // and s), 34, 45 (right); answers together: 13 and 15 (clusters right), 16 (right), 36 and 56 (wrong), and that of problem 2
  // (wrong).
  EXPECT_DOUBLE_EQ(values.at("clusters/last2/differ"), 10.0 / 22);
  EXPECT_DOUBLE_EQ(values.at("clusters/last2/right_where_differ"), 6.0 / 10);
  // All together: differ where answers do, 21 - 1 (two 8) - 6 (four 5) = 14, in one error 01, 34, 45 and 46.
  EXPECT_DOUBLE_EQ(values.at("clusters/single/differ"), 14.0 / 22);
  EXPECT_DOUBLE_EQ(values.at("clusters/single/right_where_differ"), 4.0 / 14);
  EXPECT_EQ(values.at("clusters/answers/differ"), 0);
  EXPECT_THAT(values, Not(Contains(Key("clusters/answers/right_where_differ"))));
}

TEST(ClusterWatch, ProblemsAreWeightedByTheirResponses) {
  ClusterWatch watch(watched_choices("single"));
  std::vector<Sampled> samples = two_errors();  // purity 3 of 6
  samples.push_back({{1, 2, 3, 4}, "1", "a", 2});
  samples.push_back({{1, 2, 3, 5}, "1", "a", 2});  // 2 of 2
  samples.push_back({{1, 2, 3, 5}, "1", "a", 3});  // alone: no partition to compare
  EXPECT_NEAR(watch.observe(samples_of(samples), 1).at("clusters/single/labels/purity"), 5.0 / 8, 1e-12);
}

TEST(ClusterWatch, RepeatedErrorsAreThoseThatEarlierStepsStored) {
  ClusterWatch watch(watched_choices("all"));
  const auto first = watch.observe(samples_of(two_errors()), 1);
  EXPECT_EQ(first.at("repeated_answer_share"), 0);
  EXPECT_EQ(first.at("repeated_label_share"), 0);
  const std::vector<Sampled> next = {{{1, 1, 1, 0.5F}, "8", "new error"},    {{1, 1, 0.5F, 1}, "77", "drop last"},
                                     {{1, 1, 0.5F, 1}, "78", "slip"},        {{1, 1, 0.5F, 1}, "", ""},
                                     {{1, 1, 0.5F, 1}, "8", "drop last", 9}, {{1, 1, 0.5F, 1}, "8", "", 1, true}};
  const auto second = watch.observe(samples_of(next), 2);
  EXPECT_DOUBLE_EQ(second.at("repeated_answer_share"), 0.25) << "of 8, 77, 78 and the other problem's 8";
  EXPECT_DOUBLE_EQ(second.at("repeated_label_share"), 1.0 / 3) << "slips left out";
}

TEST(ClusterWatch, WithoutLabelsOrResponsesThereIsNothingToReport) {
  ClusterWatch watch(watched_choices("all"));
  const auto none = watch.observe(samples_of({{{1, 2}, "4", "", 1, true}}), 1);
  EXPECT_THAT(none, Not(Contains(Key("clusters/all/labels/adjusted_rand"))));
  EXPECT_THAT(none, Not(Contains(Key("repeated_answer_share"))));
  const auto unlabelled = watch.observe(samples_of({{{1, 2}, "4", ""}, {{1, 3}, "4", ""}}), 2);
  EXPECT_THAT(unlabelled, Not(Contains(Key("clusters/all/labels/adjusted_rand"))));
  EXPECT_THAT(unlabelled, Contains(Key("clusters/all/answers/adjusted_rand")));
}

// Random responses to three problems, some right, some without a readout, some without an answer.
std::vector<Sampled> random_step(uint64_t step) {
  const harness::RandomStream stream("watch test", {step});
  uint64_t draw = 0;
  std::vector<Sampled> samples;
  for (uint64_t i = 0; i < 30; ++i) {
    Sampled s;
    s.problem = i % 3;
    const uint64_t error = stream.below(draw++, 4);
    const harness::RandomStream centre("watch test centre", {s.problem, error});
    s.correct = stream.uniform(draw++) < 0.3;
    if (stream.uniform(draw++) < 0.9) {
      for (uint64_t k = 0; k < 6; ++k) s.readout.push_back(static_cast<float>(centre.normal(k) + 0.1 * stream.normal(draw++)));
    }
    if (stream.uniform(draw++) < 0.9) s.answer = std::to_string(error + stream.below(draw++, 2));
    s.label = error == 3 ? "slip" : "error " + std::to_string(error);
    samples.push_back(s);
  }
  return samples;
}

TEST(ClusterWatch, ClustersAreThoseOfAFullRefitUnderEachChoice) {
  const std::vector<WatchedChoice> choices = watched_choices("half,all-diff,last1");
  ClusterWatch watch(choices);
  std::vector<std::vector<float>> stored;  // of problem 0
  for (uint64_t step = 1; step <= 12; ++step) {
    const std::vector<Sampled> samples = random_step(step);
    for (const Sampled& s : samples) {
      if (s.problem == 0 && !s.correct && !s.readout.empty()) stored.push_back(s.readout);
    }
    (void)watch.observe(samples_of(samples), static_cast<int64_t>(step));
    for (size_t c = 0; c < choices.size(); ++c) {
      std::vector<double> rows;
      for (const std::vector<float>& readout : stored) {
        const std::vector<float> chosen = harness::choose_layers(readout, choices[c].layers);
        rows.insert(rows.end(), chosen.begin(), chosen.end());
      }
      const auto n = static_cast<int64_t>(stored.size());
      const auto d = static_cast<int64_t>(rows.size()) / n;
      EXPECT_EQ(watch.labels(0, c), harness::hdbscan(harness::normalised_rows(rows, n, d), n, d)) << choices[c].name << step;
    }
  }
}

TEST(ClusterWatch, SavedAndLoadedGoesOnAsIfNeverSaved) {
  const harness::ScratchFolder folder;
  const std::string list = "half,half-diff,all,single,answers";
  ClusterWatch straight(watched_choices(list));
  for (uint64_t step = 1; step <= 6; ++step) (void)straight.observe(samples_of(random_step(step)), static_cast<int64_t>(step));
  straight.save(folder.path());
  ClusterWatch restored(watched_choices(list));
  restored.load(folder.path());
  for (uint64_t step = 7; step <= 9; ++step) {
    EXPECT_EQ(straight.observe(samples_of(random_step(step)), static_cast<int64_t>(step)),
              restored.observe(samples_of(random_step(step)), static_cast<int64_t>(step)));
  }
}

TEST(WatchedChoices, RefuseWhatIsNoChoice) {
  for (const char* bad : {"", "half,", "most", "half,half", "-diff", "last0"}) {
    EXPECT_THROW((void)watched_choices(bad), harness::Error) << bad;
  }
  EXPECT_EQ(watched_choices("half, all-diff")[1].name, "all-diff");
}

}  // namespace
}  // namespace meds
