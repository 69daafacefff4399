#if __has_include(<torch/types.h>)  // a build without LibTorch has the memory alone
#include "meds/meds_method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/core/files.h"
#include "harness/core/testing.h"
#include "meds/cluster_probe.h"
#include "meds/testing.h"

namespace meds {
namespace {

TEST(MedsMethod, ShapesRewardsAsThePlainTranscriptionOfTheRecipeOverEpochs) {
  MedsMethod method{Settings{}};
  PlainMemory plain{Settings{}};
  int64_t penalised = 0, without_fingerprint = 0;
  for (int64_t step = 1; step <= 24; ++step) {  // eight epochs
    const harness::StepBatch batch = random_batch(step);
    const std::vector<PlainMemory::Found> expected = plain.step(batch.samples, step);
    std::vector<double> scores;
    for (const harness::Sample& sample : batch.samples) scores.push_back(sample.reward);
    harness::Metrics metrics;
    method.shape_rewards(batch, scores, metrics);
    double penalty_sum = 0, wrong = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
      EXPECT_NEAR(scores[i], expected[i].score, 1e-15) << "step " << step << ", sample " << i;
      without_fingerprint += batch.samples[i].fingerprint.empty() ? 1 : 0;
      if (batch.samples[i].correct) continue;
      penalised += expected[i].size > 0 ? 1 : 0;
      ++wrong;
      penalty_sum += batch.samples[i].reward - expected[i].score;
    }
    EXPECT_NEAR(metrics.at("meds_penalty_mean"), penalty_sum / wrong, 1e-12);
  }
  EXPECT_GT(penalised, 100) << "else nothing was compared";
  EXPECT_GT(without_fingerprint, 20);
}

TEST(MedsMethod, ADuplicateWithinAStepIsNotYetHistory) {
  MedsMethod method{Settings{}};
  harness::StepBatch batch = random_batch(1);
  for (harness::Sample& sample : batch.samples) {
    sample.problem = 7;
    sample.correct = false;
    sample.reward = 0;
    sample.fingerprint = {1, 2, 3};
  }
  std::vector<double> scores(batch.samples.size(), 0.0);
  harness::Metrics metrics;
  method.shape_rewards(batch, scores, metrics);
  EXPECT_EQ(scores, std::vector<double>(16, 0.0));
  EXPECT_EQ(metrics.at("meds_history_share"), 0);
  batch.step = 2;
  method.shape_rewards(batch, scores, metrics);
  EXPECT_EQ(scores, std::vector<double>(16, -0.2)) << "16 equal ones are noise, which counts";
}

TEST(MedsMethod, AGroupOfPenalisedResponsesGetsTheAdvantagesWorkedByHand) {
  std::vector<std::unique_ptr<harness::Method>> methods;
  methods.push_back(std::make_unique<MedsMethod>(Settings{}));
  harness::MethodStack stack(std::move(methods));
  harness::StepBatch batch;
  batch.groups = 1;
  for (const bool correct : {true, false, false}) {
    harness::Sample sample;
    sample.correct = correct;
    sample.reward = correct ? 1 : 0;
    sample.fingerprint = {1, 0};
    batch.samples.push_back(sample);
  }
  harness::Metrics metrics;
  for (batch.step = 1; batch.step <= 2; ++batch.step) {
    std::vector<double> scores = {1, 0, 0};
    stack.shape_rewards(batch, scores, metrics);
    const double wrong = batch.step == 1 ? 0 : -0.1 * std::log(3.0);  // two noise vectors of the step before
    EXPECT_EQ(scores[0], 1);
    EXPECT_DOUBLE_EQ(scores[1], wrong);
    const double deviation = (1 - wrong) / std::sqrt(3.0);  // unbiased, of {1, w, w}
    const std::vector<double> advantages = stack.advantages(batch, scores);
    EXPECT_NEAR(advantages[0], (1 - wrong) * 2 / 3 / (deviation + 1e-6), 1e-12);
    EXPECT_NEAR(advantages[1], -(1 - wrong) / 3 / (deviation + 1e-6), 1e-12);
  }
}

TEST(MedsMethod, PenaltyHistogramHasEachSizeUpToTheCapAndAddsUpToOne) {
  MedsMethod method{Settings{}};
  harness::Metrics metrics;
  for (int64_t step = 1; step <= 12; ++step) {
    const harness::StepBatch batch = random_batch(step);
    std::vector<double> scores(batch.samples.size(), 0.0);
    metrics.clear();
    method.shape_rewards(batch, scores, metrics);
  }
  std::set<std::string> names;
  double sum = 0, mean = 0;
  for (const auto& [name, value] : metrics) {
    const std::string prefix = "meds_penalty_at/";
    if (!name.starts_with(prefix)) continue;
    names.insert(name.substr(prefix.size()));
    sum += value;
    mean += value * std::stod(name.substr(prefix.size()));
  }
  EXPECT_EQ(names, (std::set<std::string>{"0.000", "0.069", "0.110", "0.139", "0.161", "0.179", "0.195", "0.200"}));
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_NEAR(mean, metrics.at("meds_penalty_mean"), 5e-4);
  EXPECT_GT(mean, 0.02);
}

// A response of one problem: wrong ones with a fingerprint have its angle in degrees.
harness::Sample wrong_response(int64_t group, double degrees, const std::string& label, const std::string& answer) {
  constexpr double kRadians = 3.14159265358979323846 / 180;
  harness::Sample sample;
  sample.group = group;
  sample.problem = 7;
  sample.fingerprint = {static_cast<float>(std::cos(kRadians * degrees)), static_cast<float>(std::sin(kRadians * degrees))};
  sample.error_label = label;
  sample.answer = answer;
  sample.has_answer = !answer.empty();
  return sample;
}

TEST(MedsMethod, RanksAndSpreadsAreThoseWorkedByHand) {
  MedsMethod method{Settings{}};
  // Clusters {0, 1, 2} and {50, 51}; the labels: a three times, b once, none once; the answers: 1 twice, 2 three times.
  const harness::StepBatch first{
      .step = 1,
      .groups = 1,
      .samples = {wrong_response(0, 0, "a", "1"), wrong_response(0, 1, "a", "1"), wrong_response(0, 2, "b", "2"),
                  wrong_response(0, 50, "a", "2"), wrong_response(0, 51.5, "", "2")}};
  std::vector<double> scores(5, 0.0);
  harness::Metrics metrics;
  method.shape_rewards(first, scores, metrics);
  EXPECT_EQ(metrics.count("meds_rank_label"), 0) << "nothing stored yet";
  EXPECT_EQ(metrics.count("meds_rank_answer"), 0);
  EXPECT_EQ(metrics.at("meds_spread"), 0);
  EXPECT_EQ(metrics.at("meds_all_wrong_spread"), 0);

  harness::StepBatch second{
      .step = 2,
      .groups = 3,
      .samples = {wrong_response(0, 0.5, "a", "1"), wrong_response(0, 1.5, "b", "2"), wrong_response(0, 50.5, "a", ""),
                  wrong_response(1, 50.6, "new", "3"), wrong_response(1, 50.7, "", "2"), wrong_response(1, 0, "", ""),
                  wrong_response(2, 1, "", "")}};
  second.samples[5].correct = true;    // with the two before it: a mixed group
  second.samples[6].fingerprint = {};  // alone in its group, and without history
  scores.assign(7, 0.0);
  metrics.clear();
  method.shape_rewards(second, scores, metrics);
  // Sizes 3 3 2 2 of the labelled, stored before 3 1 3 0: ranks less their mean, doubled, 2 2 -2 -2 and 2 -1 2 -3 (2 + 2
  // below + equal - n): products 4 - 2 - 4 + 6 = 4, squares 16 and 18.
  EXPECT_NEAR(metrics.at("meds_rank_label"), 4 / std::sqrt(16.0 * 18), 1e-12);
  // Sizes 3 3 2 2 of those with an answer, stored before 2 3 0 3: 2 2 -2 -2 and -1 2 -3 2: -2 + 4 + 6 - 4 = 4.
  EXPECT_NEAR(metrics.at("meds_rank_answer"), 4 / std::sqrt(16.0 * 18), 1e-12);
  // All wrong: penalties of sizes 3, 3, 2, whose deviation is sqrt(2) / 3 of the step; mixed: 2 and 2; alone: none.
  const double deviation = 0.1 * std::log(4.0 / 3) * std::sqrt(2.0) / 3;
  EXPECT_NEAR(metrics.at("meds_spread"), deviation / 2, 1e-12);
  EXPECT_NEAR(metrics.at("meds_all_wrong_spread"), deviation, 1e-12) << "not the group of one";
}

TEST(MedsMethod, AMemoryOfAnotherConfigurationIsRefusedAndNothingIsOverwritten) {
  const harness::ScratchFolder scratch;
  const std::string folder = scratch.path();
  MedsMethod method{Settings{}};
  std::vector<double> scores(16, 0.0);
  harness::Metrics metrics;
  method.shape_rewards(random_batch(1), scores, metrics);
  method.save_state(folder, "");
  const std::string before = harness::read_file(folder + "/meds.json") + harness::read_file(folder + "/meds-00000.safetensors");
  Settings other;
  other.cluster = ClusterMode::single;
  MedsMethod refusing(other);
  EXPECT_THAT(harness::error_of([&] { refusing.load_state(folder); }),
              testing::HasSubstr("meds.json: expected a memory of method.cluster = single, found one of hdbscan"));
  EXPECT_EQ(refusing.memory().size(), 0);
  EXPECT_EQ(harness::read_file(folder + "/meds.json") + harness::read_file(folder + "/meds-00000.safetensors"), before);
}

TEST(ClusterProbe, LeavesScoresAloneAndReportsWhatItSaw) {
  ClusterProbe probe("all,single");
  EXPECT_TRUE(probe.needs().readouts);
  EXPECT_FALSE(probe.needs().error_labels) << "data without labels is measured against answers";
  harness::StepBatch batch = random_batch(1);
  for (harness::Sample& sample : batch.samples) {
    sample.readout = {1, 2, 3};
    sample.answer = "5";
    sample.has_answer = true;
  }
  std::vector<double> scores;
  for (const harness::Sample& sample : batch.samples) scores.push_back(sample.reward);
  const std::vector<double> before = scores;
  harness::Metrics metrics;
  probe.shape_rewards(batch, scores, metrics);
  EXPECT_EQ(scores, before);
  EXPECT_EQ(metrics.at("clusters/single/answers/purity"), 1);
}

}  // namespace
}  // namespace meds
#endif
