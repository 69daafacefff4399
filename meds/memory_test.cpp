#include "meds/memory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/random.h"
#include "harness/core/testing.h"
#include "meds/penalty.h"
#include "meds/testing.h"

namespace meds {
namespace {

using Samples = std::vector<harness::Sample>;
using Labels = std::vector<std::optional<int64_t>>;

harness::Sample sample_of(std::vector<float> fingerprint, bool correct = false, uint64_t problem = 1) {
  harness::Sample sample;
  sample.problem = problem;
  sample.correct = correct;
  sample.reward = correct ? 1 : 0;
  sample.fingerprint = std::move(fingerprint);
  return sample;
}

// What a step of the memory finds and the scores that it leaves of the rewards.
struct Shaped {
  Labels labels;
  std::vector<bool> had_history;
  std::vector<int64_t> sizes;  // found, whatever is penalised
  Penalties penalties;
};

Shaped shape(ErrorMemory& memory, const Samples& samples, int64_t step) {
  std::vector<double> rewards;
  for (const harness::Sample& sample : samples) rewards.push_back(sample.reward);
  const std::vector<Recalled> recalled = memory.recall_and_store(samples, step);
  Shaped shaped;
  for (const Recalled& one : recalled) {
    shaped.labels.push_back(one.label);
    shaped.had_history.push_back(one.had_history);
    shaped.sizes.push_back(one.size);
  }
  shaped.penalties = penalise(memory.settings(), samples, recalled, rewards);
  return shaped;
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
    Samples samples;
    for (const harness::Json& r : json["responses"]) {
      const auto& fingerprint = r["fingerprint"];
      samples.push_back(sample_of(fingerprint.is_null() ? std::vector<float>() : fingerprint.get<std::vector<float>>(),
                                  r["correct"].get<bool>(), harness::hash64(r["problem"].get<std::string>())));
    }
    const Penalties penalties = shape(memory, samples, ++step).penalties;
    EXPECT_EQ(penalties.sizes, json["sizes"].get<std::vector<int64_t>>()) << "step " << step;
    for (size_t i = 0; i < samples.size(); ++i) {
      EXPECT_NEAR(penalties.scores[i], json["scores"][i].get<double>(), 1e-15);
    }
  }
  EXPECT_EQ(step, 14);
}

TEST(ErrorMemory, WithoutHistoryOrFingerprintThereIsNoLabelAndNoPenalty) {
  ErrorMemory memory(Settings{});
  const Shaped first = shape(memory, {sample_of({1, 0}), sample_of({1, 0})}, 1);
  EXPECT_EQ(first.labels, (Labels{std::nullopt, std::nullopt}));
  const Shaped second = shape(memory, {sample_of({}), sample_of({1, 0}, true), sample_of({1, 0})}, 2);
  EXPECT_EQ(second.labels, (Labels{std::nullopt, std::nullopt, -1}));
  EXPECT_EQ(second.penalties.sizes, (std::vector<int64_t>{0, 0, 2})) << "noise counts";
}

TEST(ErrorMemory, ATargetLeftAloneKeepsItsLabelAndCountsNothing) {
  Settings settings;
  settings.target = PenaltyTarget::none;
  ErrorMemory memory(settings);
  (void)shape(memory, {sample_of({1, 0})}, 1);
  const Shaped shaped = shape(memory, {sample_of({1, 0})}, 2);
  EXPECT_EQ(shaped.labels[0], -1);
  EXPECT_EQ(shaped.penalties.sizes[0], 0);
  EXPECT_EQ(shaped.penalties.scores[0], 0);
}

TEST(ErrorMemory, ARefusedStepChangesNothing) {
  ErrorMemory memory(Settings{});
  (void)shape(memory, {sample_of({1, 0})}, 1);
  EXPECT_THROW((void)shape(memory, {sample_of({1, 0}), sample_of({1, 0, 0})}, 2), harness::Error);
  EXPECT_THROW((void)shape(memory, {sample_of({1, 0}), sample_of({1, std::numeric_limits<float>::quiet_NaN()})}, 2),
               harness::Error);
  EXPECT_EQ(memory.size(), 1);
}

struct Variant {
  std::string name;
  Settings settings;
};

// The recipe, and each of its settings otherwise.
std::vector<Variant> variants() {
  std::vector<Variant> list;
  const auto add = [&](const std::string& name, auto&& change) {
    list.push_back({name, {}});
    change(list.back().settings);
  };
  add("recipe", [](Settings&) {});
  add("single", [](Settings& s) { s.cluster = ClusterMode::single; });
  add("answers", [](Settings& s) { s.cluster = ClusterMode::answers; });
  add("random", [](Settings& s) { s.cluster = ClusterMode::random; });
  add("random_seed", [](Settings& s) { s.cluster = ClusterMode::random, s.random_seed = 7; });
  add("labels", [](Settings& s) { s.cluster = ClusterMode::labels; });
  add("window_steps", [](Settings& s) { s.window_steps = 2; });
  add("window_of_labels", [](Settings& s) { s.cluster = ClusterMode::labels, s.window_steps = 4; });
  add("max_per_problem", [](Settings& s) { s.max_per_problem = 9; });
  add("most_of_answers", [](Settings& s) { s.cluster = ClusterMode::answers, s.max_per_problem = 5; });
  add("with_own_step", [](Settings& s) { s.history_only = false; });
  add("own_step_of_answers", [](Settings& s) { s.cluster = ClusterMode::answers, s.history_only = false; });
  add("current_only", [](Settings& s) { s.current_only = true; });
  add("noise_is_nothing", [](Settings& s) { s.noise_counts = false; });
  add("own_step_without_noise", [](Settings& s) { s.history_only = s.noise_counts = false; });
  add("min_cluster_size", [](Settings& s) { s.min_cluster_size = 4; });
  add("min_cluster_share", [](Settings& s) { s.min_cluster_share = 0.15; });
  add("density", [](Settings& s) { s.cluster = ClusterMode::density; });
  add("radius", [](Settings& s) { s.cluster = ClusterMode::density, s.radius = 0.1; });
  add("density_of_own_step", [](Settings& s) { s.cluster = ClusterMode::density, s.history_only = false; });
  add("min_samples", [](Settings& s) { s.min_samples = 3; });
  add("k", [](Settings& s) { s.k = 4; });
  add("largest_tie", [](Settings& s) { s.k = 4, s.tie = harness::VoteTie::largest; });
  add("nearest_tie", [](Settings& s) { s.k = 4, s.tie = harness::VoteTie::nearest; });
  add("right", [](Settings& s) { s.target = PenaltyTarget::right; });
  add("both", [](Settings& s) { s.target = PenaltyTarget::both; });
  add("none", [](Settings& s) { s.target = PenaltyTarget::none; });
  add("alpha", [](Settings& s) { s.alpha = 0.3; });
  add("beta", [](Settings& s) { s.beta = 0.15; });
  return list;
}

TEST(ErrorMemory, IsThePlainTranscriptionUnderEverySetting) {
  std::set<std::vector<double>> all;  // scores of every step, of each variant
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    ErrorMemory memory(variant.settings);
    PlainMemory plain(variant.settings);
    std::vector<double> scores;
    for (int64_t step = 1; step <= 30; ++step) {  // ten epochs
      const Samples samples = random_batch(step).samples;
      const std::vector<PlainMemory::Found> expected = plain.step(samples, step);
      const Shaped shaped = shape(memory, samples, step);
      for (size_t i = 0; i < samples.size(); ++i) {
        EXPECT_EQ(shaped.labels[i], expected[i].label) << "step " << step << ", sample " << i;
        EXPECT_EQ(shaped.had_history[i], expected[i].had_history) << "step " << step << ", sample " << i;
        EXPECT_EQ(shaped.sizes[i], expected[i].size) << "step " << step << ", sample " << i;
        EXPECT_NEAR(shaped.penalties.scores[i], expected[i].score, 1e-15) << "step " << step << ", sample " << i;
      }
      scores.insert(scores.end(), shaped.penalties.scores.begin(), shaped.penalties.scores.end());
    }
    EXPECT_TRUE(all.insert(scores).second) << "the setting makes no difference here";
  }
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
  for (const auto& [name, settings] : variants()) {
    SCOPED_TRACE(name);
    const harness::ScratchFolder folder;
    ErrorMemory straight(settings);
    for (int64_t step = 1; step <= 12; ++step) (void)shape(straight, random_batch(step).samples, step);
    straight.save(folder.path("saved"));
    ErrorMemory restored(settings);
    restored.load(folder.path("saved"));
    for (const auto& [key, history] : straight.histories()) {
      if (history.size() == 0) continue;
      EXPECT_EQ(restored.histories().at(key).labels(), history.labels());
    }
    restored.save(folder.path("again"));
    EXPECT_EQ(contents(folder.path("again")), contents(folder.path("saved")));
    for (int64_t step = 13; step <= 18; ++step) {
      const Samples samples = random_batch(step).samples;
      const Shaped a = shape(straight, samples, step), b = shape(restored, samples, step);
      EXPECT_EQ(a.labels, b.labels);
      EXPECT_EQ(a.penalties.scores, b.penalties.scores);
    }
  }
}

TEST(ErrorMemory, AHistoryOfNothingStoredIsStillThereAfterLoading) {
  for (const auto& [name, settings] : variants()) {
    SCOPED_TRACE(name);
    const harness::ScratchFolder folder;
    ErrorMemory memory(settings);
    (void)shape(memory, {sample_of({}, false, 1), sample_of({1, 0}, false, 2)}, 1);
    memory.save(folder.path());
    ErrorMemory loaded(settings);
    loaded.load(folder.path());
    EXPECT_EQ(loaded.histories().size(), memory.histories().size());
    EXPECT_EQ(loaded.size(), memory.size());
  }
}

TEST(ErrorMemory, AFullFileIsLinkedFromTheSaveBeforeAndTheBytesAreThoseOfASaveFromNothing) {
  namespace fs = std::filesystem;
  const harness::ScratchFolder scratch;
  const fs::path root = scratch.path();
  const auto folder = [&](const char* name) { return scratch.path(name); };
  Settings settings;
  settings.cluster = ClusterMode::single;
  ErrorMemory memory(settings);
  int64_t step = 0;
  const auto grow_to = [&](ErrorMemory& grown, int64_t size) {
    while (grown.size() < size) {
      ++step;
      Samples samples = random_batch(step).samples;
      for (harness::Sample& sample : samples) sample.fingerprint = {1, static_cast<float>(step)};
      (void)shape(grown, samples, step);
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
}

TEST(ErrorMemory, AMemoryOfOtherSettingsOrDamagedIsRefused) {
  const harness::ScratchFolder scratch;
  const std::string folder = scratch.path();
  ErrorMemory memory(Settings{});
  (void)shape(memory, random_batch(1).samples, 1);
  memory.save(folder);
  Settings other;
  other.k = 5;
  EXPECT_THROW(ErrorMemory(other).load(folder), harness::Error);
  Settings share;
  share.min_cluster_share = 0.1;
  EXPECT_THROW(ErrorMemory(share).load(folder), harness::Error) << "a key that the saved one lacks";
  ErrorMemory of_share(share);
  of_share.save(scratch.path("share"));
  EXPECT_EQ(saved_settings(scratch.path("share")).min_cluster_share, 0.1);
  EXPECT_THROW(memory.load(scratch.path("share")), harness::Error) << "a key that the saved one alone has";
  EXPECT_GT(memory.size(), 0) << "as it was";
  const std::string vectors = harness::read_file(folder + "/meds-00000.safetensors");
  harness::write_file_atomically(folder + "/meds-00000.safetensors", vectors.substr(0, vectors.size() - 1));
  EXPECT_THROW(ErrorMemory(Settings{}).load(folder), harness::Error);
}

TEST(ErrorMemory, ThreadsChangeNothing) {
  Settings threaded;
  threaded.threads = 4;
  ErrorMemory one(Settings{});
  ErrorMemory many(threaded);
  for (int64_t step = 1; step <= 10; ++step) {
    const Samples samples = random_batch(step).samples;
    EXPECT_EQ(shape(one, samples, step).penalties.scores, shape(many, samples, step).penalties.scores);
  }
}

TEST(Settings, ThePresetReferenceRefusesADeparture) {
  Settings settings;
  settings.preset = "reference";
  check_settings(settings);
  for (const Variant& variant : variants()) {
    Settings departure = variant.settings;
    departure.preset = "reference";
    const bool allowed = variant.name == "recipe" || variant.name == "alpha";
    if (variant.name == "alpha") departure.beta = 2 * departure.alpha;
    EXPECT_EQ(harness::error_of([&] { check_settings(departure); }).empty(), allowed) << variant.name;
  }
}

}  // namespace
}  // namespace meds
