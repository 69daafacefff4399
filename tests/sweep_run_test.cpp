// `run` from outside where things go wrong or elsewhere: Slurm, faults, several processes on one folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/subprocess.h"
#include "harness/report/event_file.h"
#include "tests/miniature.h"

namespace tests {
namespace {

using harness::run_process;
using testing::HasSubstr;

// Sets a variable of this process's environment and puts the old value back.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* old = std::getenv(name);
    if (old != nullptr) old_ = old;
    had_ = old != nullptr;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

// A one-node Slurm of this test's own, where its programs are installed and this user may start them.
class OneNodeSlurm {
 public:
  explicit OneNodeSlurm(const std::string& folder) : folder_(folder) {
    for (const char* name : {"slurmctld", "slurmd", "munged", "sbatch"}) {
      if (harness::find_program(name).empty()) missing_ = std::string(name) + " is not installed";
    }
    if (missing_.empty() && geteuid() != 0) missing_ = "a Slurm of the test's own needs root";
    if (!missing_.empty()) return;
    const auto started = run_process({"sh", kScript, "start", folder_});
    if (started.status != 0) missing_ = "no Slurm can be started here: " + started.err;
  }
  ~OneNodeSlurm() {
    if (missing_.empty()) run_process({"sh", kScript, "stop", folder_});
  }
  OneNodeSlurm(const OneNodeSlurm&) = delete;
  OneNodeSlurm& operator=(const OneNodeSlurm&) = delete;

  [[nodiscard]] const std::string& missing() const { return missing_; }
  [[nodiscard]] std::string configuration() const { return folder_ + "/slurm.conf"; }

 private:
  static constexpr const char* kScript = MEDSBENCH_SOURCE_DIR "/harness/sweep/slurm_one_node.sh";
  std::string folder_, missing_;
};

TEST_F(Miniature, OnSlurmComesToTheSameBytes) {
  const OneNodeSlurm slurm((folder_ / "slurm").string());
  if (!slurm.missing().empty()) GTEST_SKIP() << slurm.missing();
  const auto here = run_process(command("here"));
  ASSERT_EQ(here.status, 0) << here.err;
  const Variable configuration("SLURM_CONF", slurm.configuration());
  const auto there = run_process(command("there", {"--slurm", "--jobs", "2", "--set", "run.slurm=[\"--comment=miniature\"]"}));
  ASSERT_EQ(there.status, 0) << there.err;
  EXPECT_THAT(there.err, HasSubstr(": 1 cells\n"));  // the base model
  EXPECT_THAT(there.err, HasSubstr(": 3 cells\n"));  // two trainings, the evaluation of the base model
  EXPECT_THAT(there.err, HasSubstr(": 2 cells\n"));
  expect_equal(contents(folder_ / "here/results"), contents(folder_ / "there/results"));
  const auto again = run_process(command("there", {"--slurm"}));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("0 cells run"));
}

TEST_F(Miniature, SlurmThatIsNotThereIsSaidInOneLine) {
  const Variable path("PATH", folder_.string());
  const auto result = run_process(command("out", {"--slurm"}));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, testing::EndsWith("medsbench: --slurm: expected the program sbatch in PATH, found none\n"));
  EXPECT_THAT(result.err, testing::Not(HasSubstr("medsbench: error")));
}

TEST_F(Miniature, PlanSaysWhatDifferenceTheSeedsCanShow) {
  std::vector<std::string> plan = command();
  plan[1] = "plan";
  const auto one = run_process(plan);
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("can show         no difference: with one training seed a row"));
  const auto shown = [&](const std::string& seeds) {
    auto argv = plan;
    argv.insert(argv.end(), {"--seeds", seeds});
    const auto result = run_process(argv);
    EXPECT_EQ(result.status, 0) << result.err;
    const std::string before = "with 80 % power a difference of ";
    const size_t at = result.out.find(before);
    EXPECT_NE(at, std::string::npos) << result.out;
    return at == std::string::npos ? 0.0 : std::stod(result.out.substr(at + before.size()));
  };
  const double three = shown("3"), ten = shown("10");
  EXPECT_GT(ten, 0);
  EXPECT_GT(three, ten);
}

// A finished miniature, made once; each test breaks a copy of it.
class Damaged : public Miniature {
 protected:
  static void SetUpTestSuite() {
    whole_ = new harness::ScratchFolder;
    whole_->write("tiny.toml", kModel);
    const auto result =
        run_process({MEDSBENCH_PROGRAM, "run", whole_->write("mini.toml", kExperiment), "--out", whole_->path("out"), "--jobs",
                     "1", "--set", "run.models=\"" + whole_->path("models") + "\""});
    ASSERT_EQ(result.status, 0) << result.err;
  }
  static void TearDownTestSuite() { delete whole_; }
  void SetUp() override {
    Miniature::SetUp();
    fs::copy(whole_->path(), folder_, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }

  [[nodiscard]] fs::path cell(const std::string& name) const { return folder_ / "out/cells/tiny" / name; }
  // The same command makes good what was lost, to the same bytes.
  void expect_whole_again() {
    const auto result = run_process(command());
    EXPECT_EQ(result.status, 0) << result.err;
    expect_equal(contents(whole_->path("out/results")), contents(folder_ / "out/results"));
  }
  static harness::ScratchFolder* whole_;
};
harness::ScratchFolder* Damaged::whole_ = nullptr;

std::string table_of(const fs::path& out) { return harness::read_file((out / "results/table.md").string()); }

TEST_F(Damaged, AModelThatWasDeletedIsMadeAgainOnlyWhereACellWaitsForIt) {
  for (const auto& entry : fs::directory_iterator(folder_ / "models")) fs::remove_all(entry.path() / "model");
  const auto unneeded = run_process(command());
  EXPECT_EQ(unneeded.status, 0) << unneeded.err;
  EXPECT_THAT(unneeded.err, HasSubstr("0 cells run"));
  fs::remove_all(cell("meds"));
  const auto needed = run_process(command());
  EXPECT_EQ(needed.status, 0) << needed.err;
  EXPECT_THAT(needed.err, HasSubstr("model is gone, made again"));
  EXPECT_THAT(needed.err, HasSubstr("3 cells run"));
  expect_equal(contents(whole_->path("out/results")), contents(folder_ / "out/results"));
}

TEST_F(Damaged, ABaseModelThatIsNotThereFailsItsOwnRowsAlone) {
  std::string text = kExperiment;
  text.insert(text.find("[table]"), "[models.gone]\npath = \"" + (folder_ / "gone").string() + "\"\n");
  harness::write_file_atomically((folder_ / "mini.toml").string(), text);
  const auto result = run_process(command());
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("models.gone.path: expected a model folder with config.json at"));
  EXPECT_THAT(table_of(folder_ / "out"), HasSubstr("MEDS"));
  EXPECT_THAT(table_of(folder_ / "out"), HasSubstr("| gone | Base | 0/1 | - |"));
  EXPECT_TRUE(fs::exists(cell("meds") / "seed1/eval/done.json"));
}

TEST_F(Damaged, ABaseModelDeletedAfterTheRunTakesNoResultWithIt) {
  std::string text = kExperiment;
  const fs::path model = folder_ / "copied";
  for (const auto& entry : fs::directory_iterator(folder_ / "models")) {
    fs::copy(entry.path() / "model", model, fs::copy_options::recursive);
  }
  text.replace(text.find("pretrain"), text.find("[table]") - text.find("pretrain"), "path = \"" + model.string() + "\"\n");
  text.resize(text.find("[[rows]]\nname = \"GRPO\""));
  harness::write_file_atomically((folder_ / "mini.toml").string(), text);
  const auto first = run_process(command("copy"));
  ASSERT_EQ(first.status, 0) << first.err;
  const auto before = contents(folder_ / "copy/results");
  fs::remove_all(model);
  const auto second = run_process(command("copy"));
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("0 cells run"));
  expect_equal(before, contents(folder_ / "copy/results"));
}

TEST_F(Damaged, ACorruptOutcomeFileIsNamedAndTheOtherRowsStand) {
  const std::string path = (cell("meds") / "seed1/eval/outcomes.jsonl.zst").string();
  const std::string bytes = harness::read_file(path);
  harness::write_file_atomically(path, bytes.substr(0, bytes.size() / 2));
  const auto result = run_process(command());
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("medsbench: ../cells/tiny/meds/seed1/eval/outcomes.jsonl.zst: "));
  EXPECT_THAT(table_of(folder_ / "out"), HasSubstr("| MEDS | 0/1 | - |"));
  EXPECT_THAT(table_of(folder_ / "out"), HasSubstr("GRPO"));
  fs::remove_all(cell("meds") / "seed1/eval");
  expect_whole_again();
}

TEST_F(Damaged, ACorruptDoneFileIsNamedAndTheOtherCellsGoOn) {
  harness::write_file_atomically((cell("grpo") / "seed1/train/done.json").string(), "{\"version\":");
  fs::remove_all(cell("meds"));
  const auto result = run_process(command());
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("train/tiny/grpo/seed1: left out: "));
  EXPECT_THAT(result.err, HasSubstr("done.json: expected JSON"));
  EXPECT_TRUE(fs::exists(cell("meds") / "seed1/eval/done.json"));
  fs::remove(cell("grpo") / "seed1/train/done.json");
  expect_whole_again();
}

TEST_F(Damaged, AFailingCellStopsNoOther) {
  // An untrained policy is never right, so that no group is kept.
  const std::string broken =
      "[[rows]]\nname = \"Broken\"\nbase = \"dapo\"\nmethod.name = \"dapo\"\nfilter.on_starved = \"stop\"\n";
  harness::write_file_atomically((folder_ / "mini.toml").string(), kExperiment + broken);
  fs::remove_all(cell("meds"));
  const auto result = run_process(command());
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("failed: train/tiny/broken/seed1"));
  EXPECT_THAT(result.err, testing::ContainsRegex("failed: train/tiny/broken/seed1: training: step 1: expected 4 groups with "
                                                 "right and wrong responses [^\n]*of 32 responses 0 right, "));
  EXPECT_THAT(result.err, testing::ContainsRegex("[(][0-9]+ of 32[)], for example:\n +problem: "));
  EXPECT_THAT(table_of(folder_ / "out"), HasSubstr("| Broken | 0/1 |"));
  EXPECT_THAT(table_of(folder_ / "out"),
              HasSubstr("- Failed: Broken, seed 1: not trained: training: step 1: expected 4 groups"));
  EXPECT_THAT(harness::read_file((cell("broken") / "seed1/train/starved.txt").string()), HasSubstr("for example:"));
  EXPECT_TRUE(fs::exists(cell("meds") / "seed1/eval/done.json"));
  harness::write_file_atomically((folder_ / "mini.toml").string(), kExperiment);
  expect_whole_again();
}

// A file size limit is the same refusal of a write as a full disk, and one that a test can make.
TEST_F(Damaged, ADiskThatTakesNoMoreFailsTheCellAndTheOthersGoOn) {
  fs::remove_all(cell("meds"));
  fs::remove_all(cell("base"));
  uintmax_t largest = 0;  // of a training: its checkpoint
  for (const auto& entry : fs::recursive_directory_iterator(cell("grpo") / "seed1/train")) {
    if (entry.is_regular_file()) largest = std::max(largest, entry.file_size());
  }
  const std::string limit = std::to_string(largest / 2 / 512);  // blocks of 512 bytes
  std::vector<std::string> argv = {"sh", "-c", "ulimit -f " + limit + "; exec \"$@\"", "sh"};
  for (const std::string& argument : command()) argv.push_back(argument);
  const auto result = run_process(argv);
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("failed: train/tiny/meds/seed1"));
  EXPECT_THAT(result.err, HasSubstr("File too large"));
  EXPECT_TRUE(fs::exists(cell("base") / "seed0/eval/done.json")) << result.err;
  expect_whole_again();
}

TEST_F(Damaged, ACellFolderThatCannotBeWrittenIsLeftOutAndTheOthersGoOn) {
  std::vector<std::string> argv;
  fs::remove_all(cell("base"));
  fs::remove_all(cell("meds"));
  fs::create_directories(cell("meds"));
  if (geteuid() == 0) {  // whom permissions do not stop
    if (harness::find_program("setpriv").empty()) GTEST_SKIP() << "setpriv is not installed, and the test runs as root";
    ASSERT_EQ(run_process({"chown", "-R", "65534:65534", folder_.string()}).status, 0);
    argv = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    if (run_process({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", MEDSBENCH_PROGRAM, "--help"}).status != 0) {
      GTEST_SKIP() << "the program lies where only root can run it";
    }
    if (run_process({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x", folder_.string()}).status !=
        0) {
      GTEST_SKIP() << "the tests' folder (TEST_TMPDIR) lies where only root can reach it";
    }
  }
  fs::permissions(cell("meds"), fs::perms::owner_read | fs::perms::owner_exec);
  for (const std::string& argument : command()) argv.push_back(argument);
  const auto result = run_process(argv);
  fs::permissions(cell("meds"), fs::perms::owner_all);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("medsbench: train/tiny/meds/seed1: left out: "));
  EXPECT_THAT(result.err, HasSubstr("Permission denied"));
  EXPECT_THAT(result.err, HasSubstr("medsbench: eval/tiny/meds/seed1: left out: waits for train/tiny/meds/seed1\n"));
  EXPECT_TRUE(fs::exists(cell("base") / "seed0/eval/done.json")) << result.err;
  expect_whole_again();
}

TEST_F(Damaged, TwoProcessesAndTwoWorkersShareTheCellsAndComeToTheSameBytes) {
  fs::remove_all(folder_ / "out");
  harness::ProcessResult second;
  std::thread other([&] { second = run_process(command("out", {"--jobs", "2"})); });
  const auto first = run_process(command("out", {"--jobs", "2"}));
  other.join();
  ASSERT_EQ(first.status, 0) << first.err;
  ASSERT_EQ(second.status, 0) << second.err;
  const auto ran = [](const std::string& text) {
    return std::stoi(text.substr(text.rfind('\n', text.find(" cells run")) + 1));
  };
  EXPECT_EQ(ran(first.err) + ran(second.err), 5) << first.err << second.err;  // no cell twice, none lost
  expect_equal(contents(whole_->path("out/results")), contents(folder_ / "out/results"));
  expect_equal(contents(whole_->path("out/cells/tiny/meds/seed1/train/model")), contents(cell("meds") / "seed1/train/model"));
}

TEST_F(Damaged, WhatAKilledWriterLeftIsRemoved) {
  for (const char* name : {"out/results/table.md.tmp.99999997", "out/cells/tiny/meds/seed1/train/metrics.jsonl.tmp.99999998",
                           "out/cells/tiny/meds/seed1/train/progress.json.99999999"}) {
    harness::write_file_atomically((folder_ / name).string(), "half");
  }
  fs::remove(cell("meds") / "seed1/train/done.json");
  expect_whole_again();
  expect_equal(contents(whole_->path("out/cells/tiny/meds/seed1/train/model")), contents(cell("meds") / "seed1/train/model"));
  EXPECT_FALSE(fs::exists(cell("meds") / "seed1/train/metrics.jsonl.tmp.99999998"));
  EXPECT_FALSE(fs::exists(cell("meds") / "seed1/train/progress.json.99999999"));
}

TEST_F(Damaged, TensorBoardFilesOfTrainingAndOfExportAreTheSame) {
  const std::string train = (cell("meds") / "seed1/train").string();
  const std::string written = harness::read_file(train + "/" + harness::kEventFileName);
  EXPECT_EQ(written, harness::events_of_metrics(harness::read_file(train + "/metrics.jsonl"), "metrics.jsonl"));
  const auto result = run_process(
      {MEDSBENCH_PROGRAM, "export", (folder_ / "out/results").string(), "--tensorboard", (folder_ / "tensorboard").string()});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(harness::read_file((folder_ / "tensorboard/tiny/MEDS/seed1" / harness::kEventFileName).string()), written);
  EXPECT_EQ(run_process({MEDSBENCH_PROGRAM, "export", (folder_ / "out/results").string()}).status, 2);
}

}  // namespace
}  // namespace tests
