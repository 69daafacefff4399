// A base model is tried before its rows are trained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/cli/every_method.h"
#include "experiments/cli/testing.h"
#include "harness/core/subprocess.h"
#include "harness/experiment/experiment.h"

namespace experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

class BaseTrials : public Scratch {
 protected:
  void SetUp() override {
    write_tiny_qwen3(path("tiny"));
    harness::write_file_atomically(path("file.toml"), "[models.tiny]\npath = \"" + path("tiny") + R"("
[table]
k = [1]
[run]
jobs = 1
[data]
train = ["words"]
limit = 3
[train]
steps = 1
prompts_per_step = 2
responses_per_prompt = 2
[prompt]
template = "plain"
[sampling]
max_new_tokens = 4
[overlong]
buffer = 0
[filter]
max_gen_batches = 1
[eval]
n = 1
[[rows]]
name = "Base"
untrained = true
method.name = "none"
[[rows]]
name = "GRPO"
base = "grpo"
method.name = "grpo"
[[rows]]
name = "DAPO"
base = "dapo"
method.name = "dapo"
)");
  }
  harness::ProcessResult medsbench(const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv = {MEDSBENCH_PROGRAM};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return harness::run_process(argv);
  }
  // The experiment as `run` plans it.
  harness::Experiment planned(const std::vector<std::string>& sets = {}) const {
    harness::ExperimentOptions options;
    options.runs = path("out");
    options.sets = sets;
    return harness::read_experiment(path("file.toml"), options, this_program());
  }
};

TEST_F(BaseTrials, SayBeforeTrainingThatHardlyAnyResponseIsRightAndAreNotMadeTwice) {
  const std::vector<std::string> run = {"run", path("file.toml"), "--out", path("out"), "--set", "run.try_samples=2"};
  const auto first = medsbench(run);
  EXPECT_EQ(first.status, 1) << "DAPO has no group to learn from";
  const size_t trial = first.err.find("tiny: tried on "), trained = first.err.find("train/tiny/dapo/seed1: started");
  ASSERT_NE(trial, std::string::npos) << first.err;
  EXPECT_LT(trial, trained);
  EXPECT_THAT(first.err, testing::ContainsRegex("tiny: tried on [0-9]+ training problems: of [0-9]+ responses 0 right, "));
  EXPECT_THAT(first.err, HasSubstr("fewer than 5 % are right (run.try_below): GRPO, DAPO will find little to learn from"));
  EXPECT_THAT(first.err, HasSubstr("for example:\n  problem:  "));
  EXPECT_THAT(harness::read_file(path("out/results/table.md")),
              HasSubstr("- Failed: DAPO, seed 1: not trained: training: step 1"));

  const auto second = medsbench(run);
  EXPECT_THAT(second.err, HasSubstr("tiny: tried on "));
  EXPECT_THAT(second.err, Not(HasSubstr("try/tiny/grpo: started")));
  EXPECT_THAT(medsbench({"status", path("file.toml"), "--out", path("out"), "--set", "run.try_samples=2"}).out,
              HasSubstr("try/tiny/grpo"));
  EXPECT_THAT(medsbench({"run", path("file.toml"), "--out", path("out"), "--dry-run", "--set", "run.try_samples=2"}).out,
              HasSubstr("done\ttry/tiny/grpo\t" + path("out/tried/tiny/grpo")));

  auto easy = run;
  easy.insert(easy.end(), {"--set", "run.try_below=0"});
  EXPECT_THAT(medsbench(easy).err, Not(HasSubstr("run.try_below")));
}

TEST_F(BaseTrials, AreSharedByRowsThatSampleAndGradeAlikeAndAreNoJobsOfTheSweep) {
  const harness::Experiment with = planned(), without = planned({"run.try_problems=0"});
  ASSERT_EQ(with.trials.size(), 1u);
  EXPECT_EQ(with.trials[0].rows, (std::vector<std::string>{"GRPO", "DAPO"}));
  EXPECT_TRUE(without.trials.empty());
  EXPECT_EQ(with.config_hash, without.config_hash);
  EXPECT_EQ(harness::all_jobs(with).size(), harness::all_jobs(without).size());
  EXPECT_EQ(harness::trials_and_jobs(with).size(), 1 + harness::all_jobs(with).size());
  EXPECT_EQ(planned({"sampling.temperature=0.5"}).trials.size(), 1u);
  EXPECT_NE(planned({"sampling.temperature=0.5"}).trials[0].job.identity, with.trials[0].job.identity);
  EXPECT_EQ(planned({"eval.temperature=0.5"}).trials[0].job.identity, with.trials[0].job.identity) << "as the training samples";
}

TEST(CommittedExperiments, TryNoModelThatTheyMakeThemselves) {
  for (const char* name : {"quickstart", "nano", "smollm2"}) {
    EXPECT_TRUE(
        harness::read_experiment(source_file("experiments/" + std::string(name) + ".toml"), {}, this_program()).trials.empty())
        << name;
  }
  // GRPO may write longer responses there than the others.
  EXPECT_EQ(harness::read_experiment(paper_file("qwen3-1.7b"), {}, this_program()).trials.size(), 2u);
}

}  // namespace
}  // namespace experiments
