#include "experiments/cli/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "experiments/cli/base_model.h"
#include "experiments/cli/experiment_testing.h"
#include "experiments/cli/notes.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/subprocess.h"

namespace experiments {
namespace {

namespace fs = std::filesystem;
using harness::Config;
using testing::HasSubstr;

const std::vector<std::string> kPapers = {"qwen3-1.7b", "qwen2.5-math-7b", "qwen3-8b"};

// Every file below experiments/ that has base models and rows.
std::vector<std::string> committed_experiments() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(source_file("experiments"))) {
    if (entry.path().extension() != ".toml") continue;
    const std::string text = harness::read_file(entry.path().string());
    if (text.find("\n[[rows]]") != std::string::npos && text.find("\n[models.") != std::string::npos)
      files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

using Experiments = Scratch;
using BaseModels = Scratch;

TEST(CommittedExperiments, ResolveToCellsWithoutDataOrModels) {
  const auto files = committed_experiments();
  ASSERT_GE(files.size(), 8u);
  for (const std::string& file : files) {
    Experiment experiment;
    ASSERT_NO_THROW(experiment = read_experiment_file(file, {})) << file;
    EXPECT_FALSE(all_cells(experiment).empty()) << file;
    ExperimentOptions small;
    small.scale = 0.01;
    ASSERT_NO_THROW(read_experiment_file(file, small)) << file;
  }
}

TEST(CommittedExperiments, ShowTheSetsThatTheirOutcomesAreOf) {
  for (const std::string name : {"methods", "methods_tuning"}) {  // `nano` and `nano:validation`
    const Experiment experiment = read_experiment_file(source_file("experiments/" + name + ".toml"), {});
    EXPECT_EQ(experiment.sets, (std::vector<std::string>{"nano/prec", "nano/mod", "nano/lin", "nano/seq", "nano/list"}))
        << name;
  }
}

TEST_F(Experiments, EveryCommittedOneIsPlannedByTheProgramWithoutData) {
  ::setenv("HF_HOME", path("none").c_str(), 1);
  ::unsetenv("MEDSBENCH_DATA");
  for (const std::string& file : committed_experiments()) {
    const auto result = harness::run_process({MEDSBENCH_PROGRAM, "plan", file});
    EXPECT_EQ(result.status, 0) << file << result.err;
    EXPECT_THAT(result.out, HasSubstr("peak")) << file;
  }
}

// The table of the paper's arms, as effective keys.
TEST(PaperExperiments, HaveTheSettingsOfThePublishedArms) {
  using Keys = std::map<std::string, std::string>;
  const Keys common = {
      {"train.steps", "100"},           {"train.prompts_per_step", "512"}, {"train.responses_per_prompt", "16"},
      {"loss.clip_low", "0.2"},         {"optimizer.lr", "1e-06"},         {"optimizer.beta1", "0.9"},
      {"optimizer.beta2", "0.999"},     {"optimizer.clip_norm", "1.0"},    {"optimizer.schedule", "\"constant\""},
      {"prompt.prompt_tokens", "1024"}, {"reward.grader", "\"recipe\""},   {"sampling.temperature", "1.0"},
      {"sampling.top_p", "1.0"},        {"sampling.top_k", "0"},           {"eval.n", "128"},
      {"eval.max_new_tokens", "8192"},  {"eval.temperature", "1.0"},       {"overlong.factor", "1.0"}};
  const Keys dapo = {{"loss.clip_high", "0.28"},
                     {"loss.dual_clip", "10.0"},
                     {"loss.kl_coef", "0.0"},
                     {"loss.aggregation", "\"token_mean\""},
                     {"filter.enabled", "true"},
                     {"filter.max_gen_batches", "10"},
                     {"overlong.buffer", "512"},
                     {"train.mini_batch_prompts", "16"},
                     {"sampling.max_new_tokens", "3072"},
                     {"optimizer.weight_decay", "0.1"},
                     {"optimizer.warmup_updates", "320"}};
  Keys grpo = {{"loss.clip_high", "0.2"},          {"loss.dual_clip", "3.0"},
               {"loss.kl_coef", "0.001"},          {"loss.aggregation", "\"seq_mean_token_mean\""},
               {"filter.enabled", "false"},        {"overlong.buffer", "0"},
               {"train.mini_batch_prompts", "32"}, {"sampling.max_new_tokens", "7168"},
               {"optimizer.weight_decay", "0.01"}, {"optimizer.warmup_updates", "0"}};
  Keys entropy = grpo;
  for (const auto& [key, value] : Keys{{"loss.dual_clip", "10.0"},
                                       {"train.mini_batch_prompts", "16"},
                                       {"sampling.max_new_tokens", "3072"},
                                       {"optimizer.weight_decay", "0.1"},
                                       {"optimizer.warmup_updates", "320"},
                                       {"method.alpha", "0.4"},
                                       {"method.kappa", "2.0"}}) {
    entropy[key] = value;
  }
  for (const std::string& paper : kPapers) {
    Keys meds = dapo;
    meds["method.alpha"] = paper == "qwen3-8b" ? "0.02" : "0.1";
    meds["method.beta"] = paper == "qwen3-8b" ? "0.04" : "0.2";
    meds["fingerprint.layers"] = "\"last14\"";
    meds["fingerprint.layer_diff"] = "false";
    meds["fingerprint.position"] = "\"reference\"";
    const std::map<std::string, Keys> arms = {{"DAPO", dapo}, {"GRPO", grpo}, {"GRPO + Entropy", entropy}, {"MEDS", meds}};
    const Experiment experiment = read_experiment_file(paper_file(paper), {});
    EXPECT_EQ(experiment.grader, "limo");
    EXPECT_EQ(experiment.sets, (std::vector<std::string>{"aime24", "amc23", "math500", "minerva", "olympiadbench"}));
    size_t seen = 0;
    for (const PlannedRow& row : experiment.rows) {
      const auto arm = arms.find(row.name);
      if (arm == arms.end()) continue;
      ++seen;
      const auto& effective = row.config.effective();
      for (const Keys* keys : {&common, &arm->second}) {
        for (const auto& [key, value] : *keys) {
          ASSERT_TRUE(effective.contains(key)) << paper << ", " << row.name << ": " << key;
          EXPECT_EQ(harness::to_toml(effective.at(key).value), value) << paper << ", " << row.name << ": " << key;
        }
      }
    }
    EXPECT_EQ(seen, 4u);
  }
}

TEST(PaperExperiments, SayWhichComparisonMixesARecipeWithAMethod) {
  const auto notes = recipe_notes(read_experiment_file(paper_file("qwen3-1.7b"), {}));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(
      notes[0],
      "GRPO differs from DAPO in its recipe too: optimizer.warmup_updates 0 (there 320), optimizer.weight_decay 0.01 (there "
      "0.1), sampling.max_new_tokens 7168 (there 3072), train.mini_batch_prompts 32 (there 16).");
}

TEST(PublishedNumbers, BelongToRowsAndColumnsOfThePapersExperimentsAndTheirAveragesReproduce) {
  Config file = Config::from_toml_file(source_file("experiments/paper/published.toml"));
  size_t averages = 0;
  for (Config& entry : file.take_tables("rows")) {
    const std::string base = entry.required_text("base_model"), name = entry.required_text("name");
    const Experiment experiment = read_experiment_file(paper_file(base), {});
    EXPECT_TRUE(
        std::any_of(experiment.rows.begin(), experiment.rows.end(), [&](const PlannedRow& row) { return row.name == name; }))
        << base << ", " << name;
    double sum = 0;
    int sets = 0;
    for (const auto& [key, value] : entry.entries()) {
      if (!key.starts_with("values.")) continue;
      const std::string column = key.substr(7);
      const std::string set = column.substr(0, column.find(' '));
      EXPECT_TRUE(set == "average" || std::find(experiment.sets.begin(), experiment.sets.end(), set) != experiment.sets.end())
          << key;
      EXPECT_TRUE(column.ends_with(" pass@1") || column.ends_with(" pass@128")) << key;
      if (set == "average" || !column.ends_with(" pass@1")) continue;
      sum += std::get<double>(value.value);
      ++sets;
    }
    if (sets != 5) continue;
    ++averages;
    EXPECT_NEAR(sum / sets, entry.number("values.average pass@1", 0), 0.0051) << name;  // rounded to two places
  }
  EXPECT_EQ(averages, 5u);
}

TEST(Scale, MultipliesWhatMakesARunLongAndKeepsUpdatesAndWarmUpInProportion) {
  Config config = Config::from_toml_text(
      "[train]\nsteps = 100\nprompts_per_step = 512\nmini_batch_prompts = 16\nresponses_per_prompt = 16\n[eval]\nn = 128\n"
      "[optimizer]\nwarmup_updates = 320\n",
      "test");
  const auto changed = apply_scale(config, 0.125);
  EXPECT_EQ(config.integer("train.steps", 0), 13);  // 12.5 rounded
  EXPECT_EQ(config.integer("train.prompts_per_step", 0), 64);
  EXPECT_EQ(config.integer("train.mini_batch_prompts", 0), 2);
  EXPECT_EQ(config.integer("train.responses_per_prompt", 0), 2);
  EXPECT_EQ(config.integer("eval.n", 0), 16);
  EXPECT_EQ(config.integer("optimizer.warmup_updates", 0), 42);  // 320 of 3200 updates as of 416: 41.6
  EXPECT_EQ(changed.size(), 6u);
  EXPECT_THAT(scale_note(0.125, {changed, changed}), HasSubstr("scaled by 0.125 (--scale): train.steps 100 to 13, "));

  Config tiny = Config::from_toml_text("[train]\nsteps = 3\n", "test");
  apply_scale(tiny, 1e-6);
  EXPECT_EQ(tiny.integer("train.steps", 0), 1);
  EXPECT_EQ(tiny.integer("train.responses_per_prompt", 0), 2);  // a group of one has no advantage
  EXPECT_EQ(tiny.integer("eval.n", 0), 1);
  EXPECT_EQ(reachable_k({1, 8, 128}, 8), (std::vector<int64_t>{1, 8}));
  EXPECT_EQ(reachable_k({1, 128}, 1), (std::vector<int64_t>{1}));
}

TEST(Scale, KeepsItsRunsAndResultsApart) {
  ExperimentOptions options;
  options.scale = 0.05;
  const Experiment scaled = read_experiment_file(paper_file("qwen3-8b"), options),
                   whole = read_experiment_file(paper_file("qwen3-8b"), {});
  EXPECT_EQ(scaled.runs, whole.runs + "-scale0.05");
  EXPECT_EQ(scaled.results, whole.results + "-scale0.05");
  EXPECT_NE(scaled.rows.back().train.at(1).identity, whole.rows.back().train.at(1).identity);
  EXPECT_EQ(scaled.k, (std::vector<int64_t>{1, 2, 4, 6}));
}

TEST_F(BaseModels, AreFoundAsFoldersInTheModelsFolderAndInTheHubsCache) {
  const std::string cache = path("hub"), models = path("models");
  const auto environment = [&](const std::string& name) { return name == "HF_HUB_CACHE" ? cache : std::string(); };
  EXPECT_EQ(find_model("Org/Name", models, environment), "");
  const std::string snapshot = cache + "/models--Org--Name/snapshots/0123456789abcdef0123456789abcdef01234567";
  harness::make_folder(snapshot);
  harness::make_folder(cache + "/models--Org--Name/refs");
  harness::write_file_atomically(cache + "/models--Org--Name/refs/main", "0123456789abcdef0123456789abcdef01234567");
  harness::write_file_atomically(snapshot + "/config.json", "{}");
  EXPECT_EQ(find_model("Org/Name", models, environment), snapshot);
  harness::make_folder(models + "/Name");
  harness::write_file_atomically(models + "/Name/config.json", "{}");
  EXPECT_EQ(find_model("Org/Name", models, environment), models + "/Name");
  EXPECT_EQ(find_model(models + "/Name", "elsewhere", environment), models + "/Name");
  EXPECT_THAT(missing_model_text("Org/Other", models), HasSubstr("medsbench model fetch Org/Other"));
}

TEST_F(BaseModels, AreGivenMorePositionsInAFolderOfLinks) {
  harness::make_folder(path("own"));
  harness::write_file_atomically(path("own/config.json"), R"({"max_position_embeddings": 4096, "rope_theta": 10000.0})");
  harness::write_file_atomically(path("own/model.safetensors"), "weights");
  extend_positions(path("own"), path("more"), 9216);
  EXPECT_EQ(harness::read_file(path("more/model.safetensors")), "weights");
  EXPECT_TRUE(fs::is_symlink(path("more/model.safetensors")));
  const auto config = harness::parse_json(harness::read_file(path("more/config.json")));
  EXPECT_EQ(config["max_position_embeddings"], 9216);
  EXPECT_EQ(config["rope_theta"], 10000.0);
  EXPECT_THROW(extend_positions(path("own"), path("less"), 4096), harness::Error);
}

}  // namespace
}  // namespace experiments
