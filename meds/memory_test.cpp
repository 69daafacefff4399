#include "meds/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/random.h"
#include "meds/penalty.h"

namespace meds {
namespace {

Response response_of(std::span<const float> fingerprint, bool correct = false, uint64_t problem = 1) {
  return {problem, correct, correct ? 1.0 : 0.0, fingerprint, std::nullopt, ""};
}

TEST(Penalty, IsThatOfTheTableAtAlphaOneTenth) {
  const std::vector<double> expected = {0, .0693, .1099, .1386, .1609, .1792, .1946, .2, .2};
  for (size_t size = 0; size < expected.size(); ++size) {
    EXPECT_NEAR(penalty(static_cast<int64_t>(size), 0.1, 0.2), expected[size], 5e-5) << size;
  }
  EXPECT_EQ(penalty(100, 0, 0), 0);
}

TEST(ShapedScore, IsSubtractedFromWrongAndDividesRight) {
  EXPECT_EQ(shaped_score(0, 0.2, false), -0.2);
  EXPECT_EQ(shaped_score(1, 0.25, true), 0.8);
}

// The theorem of docs/method.md: shaping r by -lambda c(y) changes the expected reward of one KL-regularised step by Cov_q(r,
// w) / E_q[w].
TEST(Penalty, ChangesTheExpectedRewardByTheCovarianceOfTheTheorem) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const harness::RandomStream stream("theorem test", {seed});
    const size_t outcomes = 2 + stream.below(0, 8);
    const double eta = 0.1 + 3 * stream.uniform(1);
    double z = 0;
    double z_shaped = 0;
    std::vector<double> q(outcomes);
    std::vector<double> shaped(outcomes);
    std::vector<double> reward(outcomes);
    std::vector<double> w(outcomes);
    for (size_t y = 0; y < outcomes; ++y) {
      const bool correct = y == 0;
      reward[y] = correct ? 1 : 0;
      const double b = correct ? 0 : penalty(static_cast<int64_t>(stream.below(10 + y, 12)), 0.3, 0.6);
      const double reference = 0.01 + stream.uniform(100 + y);
      q[y] = reference * std::exp(eta * reward[y]);
      w[y] = std::exp(-eta * b);
      shaped[y] = reference * std::exp(eta * shaped_score(reward[y], b, correct));
      z += q[y];
      z_shaped += shaped[y];
    }
    double expected = 0;
    double expected_shaped = 0;
    double mean_w = 0;
    double mean_rw = 0;
    for (size_t y = 0; y < outcomes; ++y) {
      expected += q[y] / z * reward[y];
      expected_shaped += shaped[y] / z_shaped * reward[y];
      mean_w += q[y] / z * w[y];
      mean_rw += q[y] / z * w[y] * reward[y];
    }
    EXPECT_NEAR(expected_shaped - expected, (mean_rw - expected * mean_w) / mean_w, 1e-12);
    EXPECT_GE(expected_shaped - expected, -1e-15) << "reward does not increase in the penalty";
  }
}

TEST(ErrorMemory, AgreesWithThePlainTranscriptionOfThePublishedMemory) {
  std::ifstream file(MEDSBENCH_TEST_DATA "/memory.jsonl");
  ErrorMemory memory(Settings{});
  int64_t step = 0;
  for (std::string line; std::getline(file, line);) {
    const harness::Json json = harness::parse_json(line);
    std::vector<std::vector<float>> fingerprints;
    for (const harness::Json& r : json["responses"]) {
      fingerprints.push_back(r["fingerprint"].is_null() ? std::vector<float>{} : r["fingerprint"].get<std::vector<float>>());
    }
    std::vector<Response> responses;
    for (size_t i = 0; i < fingerprints.size(); ++i) {
      const harness::Json& r = json["responses"][i];
      responses.push_back(
          response_of(fingerprints[i], r["correct"].get<bool>(), harness::hash64(r["problem"].get<std::string>())));
    }
    const Shaping shaping = memory.shape(responses, ++step);
    EXPECT_EQ(shaping.sizes, json["sizes"].get<std::vector<int64_t>>()) << "step " << step;
    for (size_t i = 0; i < responses.size(); ++i) EXPECT_NEAR(shaping.scores[i], json["scores"][i].get<double>(), 1e-15);
  }
  EXPECT_EQ(step, 14);
}

TEST(ErrorMemory, WithoutHistoryOrFingerprintThereIsNoLabelAndNoPenalty) {
  ErrorMemory memory(Settings{});
  const std::vector<float> v = {1, 0};
  const Shaping first = memory.shape(std::vector<Response>{response_of(v), response_of(v)}, 1);
  EXPECT_EQ(first.labels, (std::vector<std::optional<int64_t>>{std::nullopt, std::nullopt}));
  const Shaping second = memory.shape(std::vector<Response>{response_of({}), response_of(v, true), response_of(v)}, 2);
  EXPECT_EQ(second.labels, (std::vector<std::optional<int64_t>>{std::nullopt, std::nullopt, -1}));
  EXPECT_EQ(second.sizes, (std::vector<int64_t>{0, 0, 2})) << "noise counts";
}

TEST(ErrorMemory, ATargetLeftAloneKeepsItsLabelAndCountsNothing) {
  Settings settings;
  settings.target = PenaltyTarget::none;
  ErrorMemory memory(settings);
  const std::vector<float> v = {1, 0};
  (void)memory.shape(std::vector<Response>{response_of(v)}, 1);
  const Shaping shaping = memory.shape(std::vector<Response>{response_of(v)}, 2);
  EXPECT_EQ(shaping.labels[0], -1);
  EXPECT_EQ(shaping.sizes[0], 0);
  EXPECT_EQ(shaping.scores[0], 0);
}

TEST(ErrorMemory, ARefusedStepChangesNothing) {
  ErrorMemory memory(Settings{});
  const std::vector<float> v = {1, 0};
  const std::vector<float> longer = {1, 0, 0};
  const std::vector<float> nan = {1, std::numeric_limits<float>::quiet_NaN()};
  (void)memory.shape(std::vector<Response>{response_of(v)}, 1);
  EXPECT_THROW((void)memory.shape(std::vector<Response>{response_of(v), response_of(longer)}, 2), harness::Error);
  EXPECT_THROW((void)memory.shape(std::vector<Response>{response_of(v), response_of(nan)}, 2), harness::Error);
  EXPECT_EQ(memory.size(), 1);
}

// A random step of 3 problems x 8 responses.
struct RandomStep {
  std::vector<std::vector<float>> fingerprints;
  std::vector<Response> responses;
  explicit RandomStep(uint64_t seed) {
    const harness::RandomStream stream("memory test", {seed});
    uint64_t draw = 0;
    for (size_t i = 0; i < 24; ++i) {
      const harness::RandomStream centre("memory test centre", {i / 8, stream.below(draw++, 3)});
      std::vector<float> v;
      for (uint64_t k = 0; k < 4; ++k) v.push_back(static_cast<float>(centre.normal(k) + 0.05 * stream.normal(draw++)));
      fingerprints.push_back(v);
    }
    for (size_t i = 0; i < 24; ++i) {
      responses.push_back(response_of(fingerprints[i], stream.uniform(draw++) < 0.3, i / 8));
      responses.back().answer = std::to_string(stream.below(draw++, 5));
      responses.back().error_label = "slip";
    }
  }
};

std::vector<Settings> many_settings() {
  std::vector<Settings> list(11);
  list[1].cluster = ClusterMode::single;
  list[2].cluster = ClusterMode::answers;
  list[3].cluster = ClusterMode::random;
  list[4].cluster = ClusterMode::labels;
  list[5].window_steps = 2;
  list[6].max_per_problem = 9;
  list[7].history_only = false;
  list[8].current_only = true;
  list[9].min_samples = 3;
  list[10].threads = 3;
  return list;
}

// Name -> bytes of a folder's files; none where there is no folder.
std::map<std::string, std::string> contents(const std::string& folder) {
  std::map<std::string, std::string> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files[entry.path().filename().string()] = harness::read_file(entry.path().string());
  }
  return files;
}

TEST(ErrorMemory, SavedAndLoadedGoesOnAsIfNeverSaved) {
  const std::string folder = (std::filesystem::temp_directory_path() / fmt::format("meds_memory_{}", ::getpid())).string();
  for (const Settings& settings : many_settings()) {
    ErrorMemory straight(settings);
    for (uint64_t step = 1; step <= 12; ++step) (void)straight.shape(RandomStep(step).responses, static_cast<int64_t>(step));
    straight.save(folder);
    const auto files = contents(folder);
    ErrorMemory restored(settings);
    restored.load(folder);
    for (const auto& [key, history] : straight.histories()) {
      if (history.size() == 0) continue;
      EXPECT_EQ(restored.histories().at(key).labels(), history.labels()) << to_string(settings.cluster);
    }
    std::filesystem::remove_all(folder);
    restored.save(folder);
    EXPECT_EQ(contents(folder), files);
    std::filesystem::remove_all(folder);
    for (uint64_t step = 13; step <= 16; ++step) {
      const Shaping a = straight.shape(RandomStep(step).responses, static_cast<int64_t>(step));
      const Shaping b = restored.shape(RandomStep(step).responses, static_cast<int64_t>(step));
      EXPECT_EQ(a.labels, b.labels) << to_string(settings.cluster);
      EXPECT_EQ(a.scores, b.scores);
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(ErrorMemory, AHistoryOfNothingStoredIsStillThereAfterLoading) {
  const std::string folder = (std::filesystem::temp_directory_path() / fmt::format("meds_empty_{}", ::getpid())).string();
  for (const Settings& settings : many_settings()) {
    ErrorMemory memory(settings);
    const std::vector<float> v = {1, 0};
    (void)memory.shape(std::vector<Response>{response_of({}, false, 1), response_of(v, false, 2)}, 1);
    memory.save(folder);
    ErrorMemory loaded(settings);
    loaded.load(folder);
    EXPECT_EQ(loaded.histories().size(), memory.histories().size()) << to_string(settings.cluster);
    EXPECT_EQ(loaded.size(), memory.size());
    std::filesystem::remove_all(folder);
  }
}

TEST(ErrorMemory, AFullFileIsLinkedFromTheSaveBeforeAndTheBytesAreThoseOfASaveFromNothing) {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / fmt::format("meds_segments_{}", ::getpid());
  const auto folder = [&](const char* name) { return (root / name).string(); };
  Settings settings;
  settings.cluster = ClusterMode::single;
  ErrorMemory memory(settings);
  int64_t step = 0;
  const auto grow_to = [&](ErrorMemory& grown, int64_t size) {
    while (grown.size() < size) {
      ++step;
      (void)grown.shape(RandomStep(static_cast<uint64_t>(step)).responses, step);
    }
  };
  grow_to(memory, 17000);
  memory.save(folder("a"));
  ASSERT_TRUE(fs::exists(root / "a/meds-00004.safetensors"));
  grow_to(memory, 17100);
  memory.save(folder("b"), "meds", folder("a"));
  EXPECT_TRUE(fs::equivalent(root / "a/meds-00000.safetensors", root / "b/meds-00000.safetensors"));
  EXPECT_FALSE(fs::equivalent(root / "a/meds-00004.safetensors", root / "b/meds-00004.safetensors"));
  memory.save(folder("c"));
  EXPECT_EQ(contents(folder("b")), contents(folder("c")));

  ErrorMemory loaded(settings);
  loaded.load(folder("b"));
  loaded.save(folder("d"), "meds", folder("b"));
  EXPECT_TRUE(fs::equivalent(root / "b/meds-00000.safetensors", root / "d/meds-00000.safetensors"));
  EXPECT_EQ(contents(folder("d")), contents(folder("c")));

  ErrorMemory other(settings);  // of other responses: nothing of `a` may be taken
  grow_to(other, 17000);
  other.save(folder("e"), "meds", folder("a"));
  EXPECT_FALSE(fs::equivalent(root / "a/meds-00000.safetensors", root / "e/meds-00000.safetensors"));
  fs::remove_all(root);
}

TEST(ErrorMemory, AMemoryOfOtherSettingsOrDamagedIsRefused) {
  const std::string folder = (std::filesystem::temp_directory_path() / fmt::format("meds_refused_{}", ::getpid())).string();
  ErrorMemory memory(Settings{});
  (void)memory.shape(RandomStep(1).responses, 1);
  memory.save(folder);
  Settings other;
  other.k = 5;
  EXPECT_THROW(ErrorMemory(other).load(folder), harness::Error);
  const std::string vectors = harness::read_file(folder + "/meds-00000.safetensors");
  harness::write_file_atomically(folder + "/meds-00000.safetensors", vectors.substr(0, vectors.size() - 1));
  EXPECT_THROW(ErrorMemory(Settings{}).load(folder), harness::Error);
  std::filesystem::remove_all(folder);
}

TEST(ErrorMemory, ThreadsChangeNothing) {
  Settings threaded;
  threaded.threads = 4;
  ErrorMemory one(Settings{});
  ErrorMemory many(threaded);
  for (uint64_t step = 1; step <= 10; ++step) {
    const RandomStep random(step);
    EXPECT_EQ(one.shape(random.responses, static_cast<int64_t>(step)).scores,
              many.shape(random.responses, static_cast<int64_t>(step)).scores);
  }
}

TEST(Settings, ThePresetReferenceRefusesADeparture) {
  Settings settings;
  settings.preset = "reference";
  check_settings(settings);
  settings.k = 5;
  EXPECT_THROW(check_settings(settings), harness::Error);
}

}  // namespace
}  // namespace meds
