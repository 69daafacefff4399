#include "harness/experiment/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "experiments/cli/every_method.h"
#include "experiments/cli/testing.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/subprocess.h"
#include "harness/experiment/base_model.h"
#include "harness/experiment/check/check_experiment.h"
#include "harness/experiment/notes.h"

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
    harness::Config file = harness::Config::from_toml_file(entry.path().string());
    const bool has_rows = !file.take_tables("rows").empty();
    if (has_rows && !file.take("models").entries().empty()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

using Experiments = Scratch;

// The number of jobs of each is stated in testdata/committed_jobs.txt: base models, trainings and evaluations, a seed each.
TEST(CommittedExperiments, ResolveToTheirJobsWithoutDataOrModels) {
  std::map<std::string, size_t> expected;
  std::istringstream stated(harness::read_file(std::string(MEDSBENCH_TEST_DATA) + "/committed_jobs.txt"));
  std::string name;
  for (size_t jobs = 0; stated >> name >> jobs;) expected[name] = jobs;
  const auto files = committed_experiments();
  EXPECT_EQ(files.size(), expected.size());
  for (const std::string& file : files) {
    const std::string relative = fs::relative(file, source_file("")).generic_string();
    harness::Experiment experiment;
    ASSERT_NO_THROW(experiment = harness::read_experiment(file, {}, this_program())) << file;
    EXPECT_EQ(harness::all_jobs(experiment).size(), expected[relative]) << relative;
    std::set<std::string> folders, identities;
    for (const harness::PlannedJob* job : harness::all_jobs(experiment)) {
      EXPECT_TRUE(folders.insert(job->job.folder).second) << job->job.folder << " twice";
      EXPECT_TRUE(identities.insert(job->identity).second) << job->job.id << " has the configuration of another job";
    }
    harness::ExperimentOptions small;
    small.scale = 0.01;
    ASSERT_NO_THROW(harness::read_experiment(file, small, this_program())) << file;
  }
}

TEST(CommittedExperiments, HoldNothingThatCannotBe) {
  for (const std::string& file : committed_experiments()) {
    for (const harness::Finding& finding :
         harness::check_experiment(harness::read_experiment(file, {}, this_program()), this_program())) {
      EXPECT_NE(finding.severity, harness::Severity::error) << harness::finding_text(finding);
    }
  }
}

TEST(CommittedExperiments, ShowTheSetsThatTheirOutcomesAreOf) {
  for (const std::string name : {"methods", "methods_tuning"}) {  // `nano` and `nano:validation`
    const harness::Experiment experiment =
        harness::read_experiment(source_file("experiments/" + name + ".toml"), {}, this_program());
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
    const harness::Experiment experiment = harness::read_experiment(paper_file(paper), {}, this_program());
    EXPECT_EQ(experiment.grader, "limo");
    EXPECT_EQ(experiment.sets, (std::vector<std::string>{"aime24", "amc23", "math500", "minerva", "olympiadbench"}));
    size_t seen = 0;
    for (const harness::PlannedRow& row : experiment.rows) {
      const auto arm = arms.find(row.name);
      if (arm == arms.end()) continue;
      ++seen;
      const auto& effective = row.effective;
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
  const auto notes = harness::recipe_notes(harness::read_experiment(paper_file("qwen3-1.7b"), {}, this_program()));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(
      notes[0],
      "GRPO differs from DAPO in its recipe too: optimizer.warmup_updates 0 (there 320), optimizer.weight_decay 0.01 (there "
      "0.1), sampling.max_new_tokens 7168 (there 3072), train.mini_batch_prompts 32 (there 16).");
}

TEST(PublishedNumbers, BelongToRowsAndColumnsOfThePapersExperimentsAndTheirAveragesReproduce) {
  Config file = Config::from_toml_file(source_file("experiments/paper/published.toml"));
  size_t averages = 0;
  for (const Config& entry : file.take_tables("rows")) {
    harness::ConfigReader keys(entry);
    const std::string base = keys.required_text("base_model", ""), name = keys.required_text("name", "");
    const harness::Experiment experiment = harness::read_experiment(paper_file(base), {}, this_program());
    EXPECT_TRUE(std::any_of(experiment.rows.begin(), experiment.rows.end(),
                            [&](const harness::PlannedRow& row) { return row.name == name; }))
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
    EXPECT_NEAR(sum / sets, keys.number("values.average pass@1", 0, 0, 100, ""), 0.0051) << name;  // rounded to two places
  }
  EXPECT_EQ(averages, 5u);
}

TEST(Scale, KeepsItsRunsAndResultsApart) {
  harness::ExperimentOptions options;
  options.scale = 0.05;
  const harness::Experiment scaled = harness::read_experiment(paper_file("qwen3-8b"), options, this_program()),
                            whole = harness::read_experiment(paper_file("qwen3-8b"), {}, this_program());
  EXPECT_EQ(scaled.runs, whole.runs + "-scale0.05");
  EXPECT_EQ(scaled.results, whole.results + "-scale0.05");
  EXPECT_NE(scaled.rows.back().train.at(1).identity, whole.rows.back().train.at(1).identity);
  EXPECT_EQ(scaled.k, (std::vector<int64_t>{1, 2, 4, 6}));
}

}  // namespace
}  // namespace experiments
