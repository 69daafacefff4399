// A whole experiment from outside, in miniature: run, run again, a row deleted, Ctrl-C, resumption.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/csv.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/subprocess.h"
#include "tests/miniature.h"

extern char** environ;

namespace tests {
namespace {

using testing::HasSubstr;

// The files of these folders, by what differs from the folder's name.
std::map<std::string, std::string> cells_and_tables(const fs::path& out) {
  std::map<std::string, std::string> files = contents(out);
  for (const char* name : {"experiment.txt", "models.json"}) files.erase(name);
  std::erase_if(files, [](const auto& file) {  // they say where the folders lie
    return file.first.ends_with("cell.toml") || file.first.ends_with("config.toml") || file.first.ends_with("manifest.json");
  });
  return files;
}

TEST_F(Miniature, EvaluatesCheckpointsOfATrainingAlsoWhereItWasTrainedBefore) {
  const std::vector<std::string> asked = {"--set", "eval.checkpoints=[0, 1, 3]"};
  const auto whole = harness::run_process(command("a", asked));
  ASSERT_EQ(whole.status, 0) << whole.err;
  ASSERT_EQ(harness::run_process(command("b")).status, 0);
  EXPECT_FALSE(fs::exists(folder_ / "b/results/checkpoints.csv"));
  const auto later = harness::run_process(command("b", asked));
  ASSERT_EQ(later.status, 0) << later.err;
  EXPECT_THAT(later.err, HasSubstr("4 cells run"));  // two trainings again, the evaluations of their step 1; no other
  expect_equal(cells_and_tables(folder_ / "a"), cells_and_tables(folder_ / "b"));
  EXPECT_THAT(harness::run_process(command("b", asked)).err, HasSubstr("0 cells run"));

  // The last step is the row's own evaluation, step 0 that of the untrained row: neither is made twice, both say the same.
  std::map<std::vector<std::string>, std::string> values;  // of checkpoints.csv by row, set, metric and step
  const auto lines = harness::read_csv(harness::read_file((folder_ / "b/results/checkpoints.csv").string()));
  for (const auto& line : lines) values[{line[1], line[2], line[3], line[4]}] = line[5];
  int64_t compared = 0;
  for (const auto& line : harness::read_csv(harness::read_file((folder_ / "b/results/table.csv").string()))) {
    if (!line[4].starts_with("pass@")) continue;
    for (const auto& [row, step] :
         {std::pair<std::string, std::string>{line[1], "3"}, {"GRPO", line[1] == "Base" ? "0" : "-"}}) {
      const auto found = values.find({row, line[3], line[4], step});
      if (found == values.end()) continue;
      EXPECT_EQ(found->second, line[5]) << row << " at step " << step;
      ++compared;
    }
  }
  EXPECT_GE(compared, 6);
  EXPECT_FALSE(fs::exists(folder_ / "b/cells/tiny/grpo/step0"));

  EXPECT_TRUE(fs::exists(folder_ / "b/cells/tiny/meds/seed1/train/steps/step000001/model.safetensors"));
  std::vector<std::string> clean = command("b", asked);
  clean[1] = "clean";
  clean.resize(clean.size() - 2);  // --jobs
  const auto cleaned = harness::run_process(clean);
  ASSERT_EQ(cleaned.status, 0) << cleaned.err;
  EXPECT_FALSE(fs::exists(folder_ / "b/cells/tiny/meds/seed1/train/steps"));
  EXPECT_THAT(harness::run_process(command("b", asked)).err, HasSubstr("0 cells run"));
  const auto verified = harness::run_process({MEDSBENCH_PROGRAM, "verify", (folder_ / "b/results").string()});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;

  const auto refused = harness::run_process(command("c", {"--set", "eval.checkpoints=[0, 4]"}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("eval.checkpoints: expected rising steps from 0 to train.steps (3), found 4"));
}

TEST_F(Miniature, EvaluatesLaterSeedsWithFewerSamplesAndAddsTheRestWhereAsked) {
  const std::vector<std::string> fewer = {"--seeds", "2", "--set", "run.whole_seeds=1", "--set", "run.other_n=1"};
  const auto run = harness::run_process(command("out", fewer));
  ASSERT_EQ(run.status, 0) << run.err;
  const auto samples = [&](const char* seed) {
    const auto path = folder_ / "out/cells/tiny/grpo" / seed / "eval/done.json";
    return harness::parse_json(harness::read_file(path.string()))["n"].get<int64_t>();
  };
  EXPECT_EQ(samples("seed1"), 2);
  EXPECT_EQ(samples("seed2"), 1);
  const std::string table = harness::read_file((folder_ / "out/results/table.md").string());
  EXPECT_THAT(table, HasSubstr("| GRPO | 2 (1) |"));
  EXPECT_THAT(table, HasSubstr("those in brackets have 2 samples a problem, the others 1"));
  const auto whole = harness::run_process(command("out", {"--seeds", "2"}));
  ASSERT_EQ(whole.status, 0) << whole.err;
  EXPECT_THAT(whole.err, HasSubstr("2 cells run"));  // two evaluations, no training
  EXPECT_EQ(samples("seed2"), 2);
  const auto refused =
      harness::run_process(command("c", {"--seeds", "2", "--set", "run.whole_seeds=1", "--set", "run.other_n=2"}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("run.other_n: expected fewer than eval.n (2) beside run.whole_seeds, found 2"));
}

TEST_F(Miniature, IsRunOnceThenLeftAloneAndADeletedRowComesBackTheSame) {
  const auto first = harness::run_process(command());
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("MEDS"));
  EXPECT_THAT(first.err, HasSubstr("peak memory"));
  EXPECT_THAT(first.err,
              testing::ContainsRegex("meds[^\n]*: rollout [0-9.]+k? tokens/s \\([0-9.]+ GFLOP/s\\), decoding alone"));
  for (const char* name : {"table.md", "table.tex", "table.csv", "manifest.json", "experiment.json", "report.html"}) {
    EXPECT_TRUE(fs::exists(folder_ / "out/results" / name)) << name;
  }
  const auto before = contents(folder_);
  const auto written = fs::last_write_time(folder_ / "out/results/table.md");
  const auto second = harness::run_process(command());
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("0 cells run"));
  EXPECT_EQ(fs::last_write_time(folder_ / "out/results/table.md"), written);
  expect_equal(before, contents(folder_));

  fs::remove_all(folder_ / "out/cells/tiny/meds");
  const auto third = harness::run_process(command());
  ASSERT_EQ(third.status, 0) << third.err;
  EXPECT_THAT(third.err, HasSubstr("2 cells run"));
  expect_equal(before, contents(folder_));

  fs::remove(folder_ / "out/cells/tiny/meds/seed1/eval/outcomes.jsonl.zst");  // done.json is still there
  const auto evaluated = harness::run_process(command());
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  EXPECT_THAT(evaluated.err, HasSubstr("1 cells run"));
  expect_equal(before, contents(folder_));

  // Another setting for one row: that row alone is made anew, over what the old one left.
  const std::string text = std::string(kExperiment) + "method.alpha = 0.3\n";
  harness::write_file_atomically((folder_ / "mini.toml").string(), text);
  const auto fourth = harness::run_process(command());
  ASSERT_EQ(fourth.status, 0) << fourth.err;
  EXPECT_THAT(fourth.err, HasSubstr("2 cells run"));
  EXPECT_THAT(fourth.err, HasSubstr("begun anew"));

  const auto verified = harness::run_process({MEDSBENCH_PROGRAM, "verify", (folder_ / "out/results").string()});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

TEST_F(Miniature, CtrlCSavesTheStateExitsWith130AndTheSameCommandGoesOn) {
  const auto base = harness::run_process(command());
  ASSERT_EQ(base.status, 0) << base.err;
  const std::string cell = (folder_ / "out/cells/tiny/meds/seed1/train/cell.toml").string();
  const auto training = [&](const std::string& out) {  // enough steps that the signal finds it at work
    return std::vector<std::string>{MEDSBENCH_PROGRAM, "train",          cell, "--out", (folder_ / out).string(),
                                    "--set",           "train.steps=150"};
  };
  const auto whole = harness::run_process(training("whole"));
  ASSERT_EQ(whole.status, 0) << whole.err;
  const std::string again = (folder_ / "again").string();
  std::vector<std::string> arguments = training("again");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  ASSERT_EQ(posix_spawn(&pid, MEDSBENCH_PROGRAM, nullptr, nullptr, argv.data(), environ), 0);
  // The run folder appears once the signal handler stands; the run then ends by itself or by the signal, never half-way.
  int status = 0;
  while (!fs::exists(again + "/prompt.txt") && waitpid(pid, &status, WNOHANG) == 0) sched_yield();
  kill(pid, SIGINT);
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_FALSE(fs::exists(again + "/done.json"));
  const auto resumed = harness::run_process(arguments);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  expect_equal(contents(folder_ / "whole"), contents(again));
}

// The first child of a process; 0: none yet.
pid_t child_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
  const std::string children = fs::exists(path) ? harness::read_file(path) : "";
  return children.empty() ? 0 : static_cast<pid_t>(std::stol(children));
}

// Trains by two processes of which one is killed, then on to the end. `shard`: what each holds a share of.
void kill_one_of_two(const fs::path& folder, const std::string& shard) {
  const std::string cell = (folder / "out/cells/tiny/meds/seed1/train/cell.toml").string();
  const auto training = [&](const std::string& out) {
    return std::vector<std::string>{MEDSBENCH_PROGRAM,
                                    "train",
                                    cell,
                                    "--out",
                                    (folder / out).string(),
                                    "--set",
                                    "train.steps=150",
                                    "--set",
                                    "train.processes=2",
                                    "--set",
                                    "train.shard=\"" + shard + "\""};
  };
  const auto whole = harness::run_process(training("whole_" + shard));
  ASSERT_EQ(whole.status, 0) << whole.err;
  const std::string again = (folder / ("again_" + shard)).string(), errors = (folder / ("errors_" + shard)).string();
  std::vector<std::string> arguments = training("again_" + shard);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t pid = 0;
  ASSERT_EQ(posix_spawn(&pid, MEDSBENCH_PROGRAM, &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  const fs::path metrics = fs::path(again) / "metrics.jsonl";  // it has a line once a step is done
  while ((!fs::exists(metrics) || fs::file_size(metrics) == 0) && waitpid(pid, &status, WNOHANG) == 0) sched_yield();
  const pid_t child = child_of(pid);
  ASSERT_GT(child, 0) << harness::read_file(errors);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  const std::string said = harness::read_file(errors);
  const size_t line = said.find("medsbench: ");
  ASSERT_NE(line, std::string::npos) << said;
  EXPECT_THAT(said.substr(line), HasSubstr("expected 2 processes, found that one has ended"));
  EXPECT_EQ(said.find('\n', line), said.size() - 1) << said;
  EXPECT_FALSE(fs::exists(again + "/done.json"));
  const auto resumed = harness::run_process(arguments);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  expect_equal(contents(folder / ("whole_" + shard)), contents(again));
}

TEST_F(Miniature, AKilledProcessEndsATrainingByTwoInOneLineAndTheSameCommandGoesOn) {
  const auto base = harness::run_process(command());
  ASSERT_EQ(base.status, 0) << base.err;
  for (const char* shard : {"none", "parameters"}) kill_one_of_two(folder_, shard);
}

TEST_F(Miniature, TrainsToTheSameBytesOnALesserInstructionSetAndOnMoreThreads) {
  const auto base = harness::run_process(command());
  ASSERT_EQ(base.status, 0) << base.err;
  const std::string whole = (folder_ / "out/cells/tiny/meds/seed1/train").string();
  const auto training = [&](const std::string& out, const std::vector<std::string>& before, const std::string& threads) {
    std::vector<std::string> all = before;
    all.insert(all.end(), {MEDSBENCH_PROGRAM, "train", whole + "/cell.toml", "--out", (folder_ / out).string(), "--set",
                           "numerics.threads=" + threads});
    const auto done = harness::run_process(all);
    EXPECT_EQ(done.status, 0) << done.err;
    auto files = contents(folder_ / out);
    for (const char* name : {"manifest.json", "config.toml", "cell.toml"}) files.erase(name);  // they name what differs
    return files;
  };
  auto expected = contents(whole);
  for (const char* name : {"manifest.json", "config.toml", "cell.toml"}) expected.erase(name);
  EXPECT_GT(expected.size(), 3u);
  expect_equal(expected, training("threads", {}, "2"));
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {  // on a processor without AVX-512 they are one
    expect_equal(expected, training("avx2", {"env", "MEDSBENCH_INSTRUCTION_SET=avx2", "ATEN_CPU_CAPABILITY=avx2"}, "1"));
  }
}

// MKL itself says in which mode it is, so this fails too where it is set after LibTorch has begun to compute.
TEST_F(Miniature, ComputesInMklsCompatibleModeWhereStrictWhateverTheShellSays) {
  const auto base = harness::run_process(command());
  ASSERT_EQ(base.status, 0) << base.err;
  const auto mode = [](const fs::path& folder) {
    return harness::text_field(harness::parse_json(harness::read_file((folder / "manifest.json").string())), "mkl_mode");
  };
  int jobs = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (entry.path().filename() != "config.toml") continue;  // of a job: the base model, trainings, evaluations
    EXPECT_EQ(mode(entry.path().parent_path()), "COMPATIBLE") << entry.path();
    ++jobs;
  }
  EXPECT_GE(jobs, 4);
  const std::string cell = (folder_ / "out/cells/tiny/meds/seed1/train/cell.toml").string();
  const auto trained = [&](const std::string& name, const std::string& strict) {
    const fs::path out = folder_ / name;
    const auto done = harness::run_process({"env", "MKL_CBWR=AVX2", MEDSBENCH_PROGRAM, "train", cell, "--out", out.string(),
                                            "--set", "train.steps=1", "--set", "numerics.strict=" + strict});
    EXPECT_EQ(done.status, 0) << done.err;
    return mode(out);
  };
  EXPECT_EQ(trained("strict", "true"), "COMPATIBLE");
  EXPECT_EQ(trained("loose", "false"), "as it comes");
}

TEST_F(Miniature, ABaseModelGivenByItsFolderIsKnownByWhatItHolds) {
  const auto base = harness::run_process(command());
  ASSERT_EQ(base.status, 0) << base.err;
  const fs::path model = fs::directory_iterator(folder_ / "models")->path() / "model";
  fs::copy(model, folder_ / "given", fs::copy_options::recursive);
  std::string text = kExperiment;
  const std::string pretrain = "pretrain = \"tiny.toml\"";
  text.replace(text.find(pretrain), pretrain.size(), "path = \"" + (folder_ / "given").string() + "\"");
  harness::write_file_atomically((folder_ / "mini.toml").string(), text);
  std::vector<std::string> given = command();
  given[4] = (folder_ / "other").string();
  ASSERT_EQ(harness::run_process(given).status, 0);
  EXPECT_THAT(harness::run_process(given).err, HasSubstr("0 cells run"));
  harness::write_file_atomically((folder_ / "given/generation_config.json").string(), "{\"eos_token_id\": 1}\n");
  const auto changed = harness::run_process(given);
  EXPECT_EQ(changed.status, 0) << changed.err;
  EXPECT_THAT(changed.err, HasSubstr("5 cells run"));
}

}  // namespace
}  // namespace tests
