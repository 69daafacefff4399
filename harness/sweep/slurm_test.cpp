#include "harness/sweep/slurm.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

class Slurm : public testing::Test {
 protected:
  Slurm() {
    settings_.folder = root_ + "/scripts";
    settings_.program = "/bin/sh";
    settings_.out = &shown_;
    settings_.poll_seconds = 0.2;
    settings_.environment = {{"WORD", "it's set"}};
  }

  Job job(const std::string& id, const std::string& command, std::vector<std::string> after = {}) const {
    const std::string folder = root_ + "/" + id;
    return {id, "train", {"-c", command + " && : > '" + folder + "/done.json'"}, folder, std::move(after), 0};
  }

  // base -> {good, bad} -> {after good, after bad}
  std::vector<Job> jobs() const {
    return {job("after_good", "test -e '" + root_ + "/good/done.json'", {"good"}), job("after_bad", "true", {"bad"}),
            job("good", "test \"$WORD\" = \"it's set\"", {"base"}), job("bad", "echo cause of failure; false", {"base"}),
            job("base", "true")};
  }

  void expect_the_right_ones_done(const SweepResult& result) {
    EXPECT_EQ(result.jobs[0].state, JobState::done) << shown_.str();
    EXPECT_EQ(result.jobs[1].state, JobState::blocked);
    EXPECT_EQ(result.jobs[2].state, JobState::done);
    EXPECT_EQ(result.jobs[3].state, JobState::failed);
    EXPECT_EQ(result.jobs[4].state, JobState::done);
    EXPECT_NE(result.jobs[3].log_tail.find("cause of failure"), std::string::npos) << result.jobs[3].log_tail;
  }

  const ScratchFolder folder_;
  const std::string root_ = folder_.path();
  std::ostringstream shown_;
  SlurmSettings settings_;
  std::function<bool(const Job&)> is_done_ = [](const Job& one) { return fs::exists(one.folder + "/done.json"); };
};

TEST_F(Slurm, StagesFollowTheWaitingOrderAndLeaveOutWhatIsDone) {
  const auto stages = slurm_stages(jobs(), settings_, is_done_);
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages[0].jobs, (std::vector<size_t>{4}));
  EXPECT_EQ(stages[1].jobs, (std::vector<size_t>{2, 3}));
  EXPECT_EQ(stages[2].jobs, (std::vector<size_t>{0, 1}));
  EXPECT_NE(stages[1].script.find("#SBATCH --array=0-1\n"), std::string::npos) << stages[1].script;
  fs::create_directories(root_ + "/base");
  std::ofstream(root_ + "/base/done.json").put('\n');
  EXPECT_EQ(slurm_stages(jobs(), settings_, is_done_).size(), 2U);
}

// A stand-in for the three programs: sbatch runs all tasks of the script before it answers.
TEST_F(Slurm, SubmitsWaitsAndCollects) {
  fs::create_directories(root_ + "/bin");
  const auto program = [&](const std::string& name, const std::string& text) {
    const std::string path = root_ + "/bin/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << text;
    fs::permissions(path, fs::perms::owner_all);
  };
  program("sbatch", "echo \"$@\" >> " + root_ +
                        "/calls\n"
                        "for script in \"$@\"; do :; done\n"
                        "last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' \"$script\")\n"
                        "for i in $(seq 0 \"$last\"); do SLURM_ARRAY_TASK_ID=$i sh \"$script\"; done\n"
                        "wc -l < " +
                        root_ + "/calls\n");
  program("squeue", "exit 0\n");
  program("scancel", "exit 0\n");
  const std::string path = std::getenv("PATH");
  setenv("PATH", (root_ + "/bin:" + path).c_str(), 1);
  settings_.options = {"--partition=one"};
  const SweepResult result = run_jobs_on_slurm(jobs(), settings_, is_done_);
  setenv("PATH", path.c_str(), 1);
  expect_the_right_ones_done(result);
  const std::string calls = read_file(root_ + "/calls");
  EXPECT_NE(calls.find("--parsable --dependency=afterany:1 --partition=one"), std::string::npos) << calls;
  EXPECT_NE(calls.find("--dependency=afterany:2"), std::string::npos) << calls;
}

TEST_F(Slurm, SaysWhichProgramIsMissing) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", root_.c_str(), 1);
  EXPECT_THROW(run_jobs_on_slurm(jobs(), settings_, is_done_), Error);
  setenv("PATH", path.c_str(), 1);
}

// Against a real Slurm, such as the one slurm_one_node.sh beside this file starts.
TEST_F(Slurm, ARealOneRunsTheSameCells) {
  if (std::getenv("MEDSBENCH_SLURM") == nullptr) GTEST_SKIP() << "MEDSBENCH_SLURM is not set: no Slurm to test against";
  expect_the_right_ones_done(run_jobs_on_slurm(jobs(), settings_, is_done_));
}

}  // namespace
}  // namespace harness
