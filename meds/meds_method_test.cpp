#if __has_include(<torch/types.h>)  // a build without LibTorch has the memory alone
#include "meds/meds_method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "harness/cluster/testing.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/random.h"
#include "meds/cluster_probe.h"
#include "meds/penalty.h"

namespace meds {
namespace {

// The published recipe once more, as plain loops: every label is made anew from everything stored.
class PlainMemory {
 public:
  // Shaped score and looked-up size of each sample, in order; then all are stored.
  struct Shaped {
    std::vector<double> scores;
    std::vector<int64_t> sizes;
  };
  Shaped step(const std::vector<harness::Sample>& samples) {
    Shaped shaped;
    for (const harness::Sample& sample : samples) {
      const int64_t size =
          sample.fingerprint.empty() ? 0 : look_up(stored_[{sample.problem, sample.correct}], sample.fingerprint);
      const int64_t counted = sample.correct ? 0 : size;
      const double b = 0.1 * std::min(std::log(static_cast<double>(counted) + 1), 2.0);
      shaped.sizes.push_back(counted);
      shaped.scores.push_back(sample.correct ? sample.reward / (1 + b) : sample.reward - b);
    }
    for (const harness::Sample& sample : samples) {
      if (!sample.fingerprint.empty()) stored_[{sample.problem, sample.correct}].push_back(sample.fingerprint);
    }
    return shaped;
  }

 private:
  using Rows = std::vector<std::vector<float>>;

  static double cosine_distance(const std::vector<float>& a, const std::vector<float>& b) {
    double dot = 0, aa = 0, bb = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      dot += static_cast<double>(a[k]) * b[k];
      aa += static_cast<double>(a[k]) * a[k];
      bb += static_cast<double>(b[k]) * b[k];
    }
    return 1 - dot / std::sqrt(aa * bb);
  }

  // Labels of a full fit. The partition is that of the plain transcription; the numbers, which a tied vote asks for, are those
  // of the product, checked to name the same partition.
  static std::vector<int64_t> fit(const Rows& rows) {
    if (rows.size() < 2) return std::vector<int64_t>(rows.size(), -1);
    std::vector<double> flat;
    for (const std::vector<float>& row : rows) {
      double square = 0;
      for (const float value : row) square += static_cast<double>(value) * value;
      for (const float value : row) flat.push_back(value / std::sqrt(square));
    }
    const auto n = static_cast<int64_t>(rows.size());
    const auto d = static_cast<int64_t>(rows.front().size());
    const std::vector<int64_t> labels = harness::hdbscan(flat, n, d);
    EXPECT_EQ(harness::canonical(labels), harness::canonical(harness::plain_hdbscan(flat, n, d, {})));
    return labels;
  }

  static int64_t look_up(const Rows& rows, const std::vector<float>& query) {
    if (rows.empty()) return 0;
    const std::vector<int64_t> labels = fit(rows);
    std::vector<std::pair<double, size_t>> by_distance;
    for (size_t i = 0; i < rows.size(); ++i) by_distance.emplace_back(cosine_distance(rows[i], query), i);
    std::sort(by_distance.begin(), by_distance.end());
    std::map<int64_t, int64_t> votes;
    for (size_t i = 0; i < std::min<size_t>(3, rows.size()); ++i) ++votes[labels[by_distance[i].second]];
    int64_t winner = votes.begin()->first;  // ascending: the smallest label wins a tie
    for (const auto& [label, count] : votes) {
      if (count > votes[winner]) winner = label;
    }
    return std::count(labels.begin(), labels.end(), winner);
  }

  std::map<std::pair<uint64_t, bool>, Rows> stored_;
};

// A step of an epoch over six problems, two prompts a step: problem 0 stands twice in the list. Four errors a problem; some
// responses have no fingerprint, none of problem 4 has.
harness::StepBatch random_batch(int64_t step) {
  const std::vector<uint64_t> list = {0, 1, 2, 0, 3, 4};
  const harness::RandomStream stream("meds method test", {static_cast<uint64_t>(step)});
  uint64_t draw = 0;
  harness::StepBatch batch;
  batch.step = step;
  batch.groups = 2;
  for (int64_t group = 0; group < 2; ++group) {
    const uint64_t problem = list[static_cast<size_t>((2 * (step - 1) + group) % 6)];
    for (int64_t k = 0; k < 8; ++k) {
      harness::Sample sample;
      sample.group = group;
      sample.problem = problem;
      sample.correct = stream.uniform(draw++) < 0.3;
      sample.reward = (sample.correct ? 1.0 : 0.0) - (stream.uniform(draw++) < 0.2 ? 0.25 : 0.0);  // some are overlong
      const harness::RandomStream centre("meds method centre", {problem, stream.below(draw++, 4)});
      if (problem != 4 && stream.uniform(draw++) < 0.85) {
        for (uint64_t d = 0; d < 3; ++d) {
          sample.fingerprint.push_back(static_cast<float>(centre.normal(d) + 0.05 * stream.normal(draw++)));
        }
      }
      batch.samples.push_back(sample);
    }
  }
  return batch;
}

TEST(MedsMethod, ShapesRewardsAsThePlainTranscriptionOfTheRecipeOverEpochs) {
  MedsMethod method{Settings{}};
  PlainMemory plain;
  int64_t penalised = 0, without_fingerprint = 0;
  for (int64_t step = 1; step <= 24; ++step) {  // eight epochs
    const harness::StepBatch batch = random_batch(step);
    const PlainMemory::Shaped expected = plain.step(batch.samples);
    std::vector<double> scores;
    for (const harness::Sample& sample : batch.samples) scores.push_back(sample.reward);
    harness::Metrics metrics;
    method.shape_rewards(batch, scores, metrics);
    double penalty_sum = 0, wrong = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
      EXPECT_NEAR(scores[i], expected.scores[i], 1e-15) << "step " << step << ", sample " << i;
      penalised += expected.sizes[i] > 0 ? 1 : 0;
      without_fingerprint += batch.samples[i].fingerprint.empty() ? 1 : 0;
      if (batch.samples[i].correct) continue;
      ++wrong;
      penalty_sum += batch.samples[i].reward - expected.scores[i];
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

TEST(MedsMethod, AMemoryOfAnotherConfigurationIsRefusedAndNothingIsOverwritten) {
  const std::string folder = (std::filesystem::temp_directory_path() / fmt::format("meds_method_{}", ::getpid())).string();
  MedsMethod method{Settings{}};
  std::vector<double> scores(16, 0.0);
  harness::Metrics metrics;
  method.shape_rewards(random_batch(1), scores, metrics);
  method.save_state(folder, "");
  const std::string before = harness::read_file(folder + "/meds.json") + harness::read_file(folder + "/meds-00000.safetensors");
  Settings other;
  other.cluster = ClusterMode::single;
  MedsMethod refusing(other);
  try {
    refusing.load_state(folder);
    ADD_FAILURE() << "expected a refusal";
  } catch (const harness::Error& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("meds.json: expected a memory of method.cluster = single, found one of hdbscan"));
  }
  EXPECT_EQ(refusing.memory().size(), 0);
  EXPECT_EQ(harness::read_file(folder + "/meds.json") + harness::read_file(folder + "/meds-00000.safetensors"), before);
  std::filesystem::remove_all(folder);
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
