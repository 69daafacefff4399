#include "harness/experiment/key_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "experiments/cli/every_method.h"
#include "harness/core/files.h"
#include "harness/experiment/experiment.h"

namespace experiments {
namespace {

TEST(MethodsPage, UnderResultsIsWhatTheProgramPrints) {
  EXPECT_EQ(harness::read_file(MEDSBENCH_SOURCE_DIR "/results/methods.md"), harness::methods_markdown(every_method()));
}

TEST(MethodsPage, NamesEveryPublishedMethodWithItsKeys) {
  const std::string text = harness::methods_text(every_method());
  for (const char* name : {"grpo",
                           "dapo",
                           "dr_grpo",
                           "clip_higher",
                           "entropy_bonus",
                           "adaptive_entropy",
                           "entropy_advantage",
                           "clip_cov",
                           "kl_cov",
                           "top_entropy",
                           "nsr",
                           "psr",
                           "w_reinforce",
                           "pass_k_training",
                           "pkpo",
                           "unlikeliness",
                           "uniqueness",
                           "outcome_exploration",
                           "maxrl",
                           "gspo",
                           "cispo",
                           "edas",
                           "f_grpo",
                           "ucpo",
                           "steer",
                           "qae",
                           "differential_smoothing",
                           "darling",
                           "simko",
                           "lp_reg",
                           "bbg",
                           "cue_grpo",
                           "repexp",
                           "risk_sensitive",
                           "dph_rl",
                           "random_reward",
                           "format_reward",
                           "meds"}) {
    EXPECT_THAT("\n" + text, ::testing::HasSubstr("\n" + std::string(name) + " ")) << name;
  }
  for (const char* key : {"method.target = 0.2", "method.kappa = 2", "method.fraction = 0.002", "method.lambda = 0.1",
                          "method.constant = 0.5", "method.high = 5", "method.alpha = 0.1"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(key));
  }
}

TEST(Keys, AreListedOnceWithDefaultRangeAndMeaningWhereverTheyAreRead) {
  const std::vector<harness::KeySection> sections = harness::all_keys(this_program());
  std::set<std::string> titles;
  for (const harness::KeySection& section : sections) {
    EXPECT_TRUE(titles.insert(section.title).second) << section.title;
    std::set<std::string> names;
    for (const harness::KeySpec& key : section.keys) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name << " twice in " << section.title;
      EXPECT_FALSE(key.meaning.empty()) << key.name;
      EXPECT_FALSE(key.type.empty()) << key.name;
    }
  }
  const std::string text = harness::keys_text(sections, "");
  for (const char* line : {"train.steps = 36  (integer >= 1) training steps", "eval.n = 128  (integer >= 1) samples a problem",
                           "data.nano.slips = 0.05  (number [0, 1])", "table.k = [1, 128]  (integers)",
                           "method.alpha = 0.1  (number [0, 1000000])", "by = 0  (number >= 0) points by which",
                           "model.layers = 6  (integer >= 1)"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(line));
  }
}

// A key that an experiment may set and the list lacks would be one that nobody can find.
TEST(Keys, HoldEveryKeyOfTheCommittedExperiments) {
  std::set<std::string> known;
  for (const harness::KeySection& section : harness::all_keys(this_program())) {
    for (const harness::KeySpec& key : section.keys) known.insert(key.name);
  }
  harness::ExperimentOptions options;
  const harness::Experiment experiment =
      harness::read_experiment(MEDSBENCH_SOURCE_DIR "/experiments/quickstart.toml", options, this_program());
  for (const harness::PlannedRow& row : experiment.rows) {
    for (const auto& [key, entry] : row.effective) EXPECT_TRUE(known.contains(key)) << key;
  }
}

TEST(Keys, BeginAsAsked) {
  const std::vector<harness::KeySection> sections = harness::all_keys(this_program());
  EXPECT_THAT(harness::keys_text(sections, "loss."), ::testing::Not(::testing::HasSubstr("train.")));
  EXPECT_EQ(harness::keys_text(sections, "no_such."), "");
  EXPECT_THAT(harness::key_text(sections, "clip_high"), ::testing::HasSubstr("loss.clip_high = 0.2 "));
  EXPECT_EQ(harness::key_text(sections, "no_such"), "");
}

}  // namespace
}  // namespace experiments
