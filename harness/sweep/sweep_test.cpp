#include "harness/sweep/sweep.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/testing.h"
#include "harness/sweep/gpu_slots.h"
#include "harness/sweep/job_lock.h"
#include "harness/sweep/progress.h"
#include "harness/sweep/status.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

class Sweep : public testing::Test {
 protected:
  Sweep() {
    settings_.program = "/bin/sh";
    settings_.out = &shown_;
  }

  // A job that runs a shell command in which $D is its folder; " && done" is added unless the command fails first.
  Job job(const std::string& id, const std::string& command, std::vector<std::string> after = {}) const {
    const std::string folder = root_ + "/" + id;
    return {id, "train", {"-c", "D='" + folder + "'; " + command + " && : > \"$D/done.json\""}, folder, std::move(after),
            0,  false};
  }
  // One that notes in the order file that it ran.
  Job noting(const std::string& id, std::vector<std::string> after = {}) const {
    return job(id, "echo " + id + " >> " + root_ + "/order", std::move(after));
  }
  std::vector<std::string> order() const {
    std::vector<std::string> lines;
    std::ifstream file(root_ + "/order");
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  SweepResult run(const std::vector<Job>& jobs) { return run_jobs(jobs, settings_, is_done_); }

  const ScratchFolder folder_;
  const std::string root_ = folder_.path();
  std::ostringstream shown_;
  SweepSettings settings_;
  std::function<bool(const Job&)> is_done_ = [](const Job& job) { return fs::exists(job.folder + "/done.json"); };
};

TEST_F(Sweep, AJobThatNothingCanRunBesideIsToldOfTheIdleWorkers) {
  settings_.workers = 3;
  const auto told = [&](const std::string& id, std::vector<std::string> after, bool takes) {
    Job one = job(id, std::string("echo ${") + kThreadsVariable + ":-none} > $D/threads", std::move(after));
    one.takes_idle_workers = takes;
    return one;
  };
  EXPECT_TRUE(run({told("alone", {}, true), told("one", {"alone"}, true), told("two", {"alone"}, true),
                   told("last", {"one", "two"}, false)})
                  .ok());
  EXPECT_EQ(read_file(root_ + "/alone/threads"), "3\n");
  EXPECT_EQ(read_file(root_ + "/one/threads"), "none\n");
  EXPECT_EQ(read_file(root_ + "/last/threads"), "none\n");
}

TEST_F(Sweep, RunsCellsAfterThoseTheyWaitForAndLongChainsFirst) {
  const std::vector<Job> jobs = {noting("alone"), noting("eval", {"train"}), noting("train", {"base"}), noting("base")};
  const SweepResult result = run(jobs);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(order(), (std::vector<std::string>{"base", "train", "alone", "eval"}));
  EXPECT_GT(result.jobs[0].end.peak_kib, 0);
}

TEST_F(Sweep, TakesALargerPriorityFirst) {
  std::vector<Job> jobs = {noting("a"), noting("b"), noting("c")};
  jobs[2].priority = 1;
  run(jobs);
  EXPECT_EQ(order(), (std::vector<std::string>{"c", "a", "b"}));
}

TEST_F(Sweep, RunAgainRedoesNothingAndAddsOnlyWhatIsNew) {
  run({noting("a"), noting("b", {"a"})});
  const SweepResult again = run({noting("a"), noting("b", {"a"}), noting("c", {"a"})});
  EXPECT_TRUE(again.ok());
  EXPECT_FALSE(again.jobs[0].ran_here);
  EXPECT_EQ(order(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(Sweep, AFailingCellBlocksItsFollowersAloneAndShowsItsLastLines) {
  const std::vector<Job> jobs = {job("bad", "echo cause of failure >&2; exit 7"), noting("after", {"bad"}),
                                 noting("later", {"after"}), noting("good")};
  const SweepResult result = run(jobs);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.jobs[0].state, JobState::failed);
  EXPECT_EQ(result.jobs[0].end.status, 7);
  EXPECT_EQ(result.jobs[1].state, JobState::blocked);
  EXPECT_EQ(result.jobs[2].state, JobState::blocked);
  EXPECT_EQ(result.jobs[3].state, JobState::done);
  EXPECT_NE(shown_.str().find("cause of failure"), std::string::npos) << shown_.str();
  const std::string table = status_table(sweep_status(jobs, is_done_));
  EXPECT_NE(table.find("1 done, 0 running, 0 waiting, 1 failed, 2 blocked"), std::string::npos) << table;
}

TEST_F(Sweep, AFailedCellIsTriedAgainByTheNextRun) {
  EXPECT_FALSE(run({job("flaky", "test -e " + root_ + "/repaired")}).ok());
  std::ofstream(root_ + "/repaired").put('\n');
  EXPECT_TRUE(run({job("flaky", "test -e " + root_ + "/repaired")}).ok());
  EXPECT_FALSE(fs::exists(root_ + "/flaky/failed.json"));
}

TEST_F(Sweep, StatusZeroWithoutResultsIsAFailure) {
  Job lazy = job("lazy", "true");
  lazy.arguments = {"-c", "exit 0"};
  EXPECT_EQ(run({lazy}).jobs[0].state, JobState::failed);
}

TEST_F(Sweep, AKilledWorkerIsAFailureThatNamesItsSignal) {
  EXPECT_EQ(run({job("killed", "kill -9 $$")}).jobs[0].end.status, 128 + SIGKILL);
}

TEST_F(Sweep, AWorkerKilledAfterItsResultsWereWholeHasDoneItsCell) {
  Job late = job("late", "true");
  late.arguments = {"-c", ": > '" + late.folder + "/done.json'; kill -9 $$"};
  EXPECT_EQ(run({late, noting("next", {"late"})}).jobs[1].state, JobState::done);
  EXPECT_FALSE(fs::exists(late.folder + "/failed.json"));
}

TEST_F(Sweep, AProgramThatDoesNotStartFailsItsCell) {
  settings_.program = root_ + "/no_such_program";
  EXPECT_EQ(run({noting("a")}).jobs[0].state, JobState::failed);
}

TEST_F(Sweep, AFolderThatCannotBeMadeFailsItsCellAlone) {
  std::ofstream(root_ + "/file").put('\n');
  Job misplaced = noting("misplaced");
  misplaced.folder = root_ + "/file/inside";
  const SweepResult result = run({misplaced, noting("good")});
  EXPECT_EQ(result.jobs[0].state, JobState::failed);
  EXPECT_EQ(result.jobs[1].state, JobState::done);
}

TEST_F(Sweep, WorkersGetTheEnvironmentAndTheirSlots) {
  settings_.environment = {{"OMP_NUM_THREADS", "1"}};
  settings_.slots = {{{"CUDA_VISIBLE_DEVICES", "3"}}};
  EXPECT_TRUE(run({job("a", "test \"$OMP_NUM_THREADS$CUDA_VISIBLE_DEVICES\" = 13")}).ok()) << shown_.str();
}

TEST(GpuSlots, GiveEachWorkerAGpuOfItsOwn) {
  const auto names = [](const GpuSlots& slots) {
    std::string text;
    for (const auto& slot : slots.slots) text += slot.at("CUDA_VISIBLE_DEVICES") + " ";
    return text;
  };
  const GpuSlots all = gpu_slots(2, 4, "", false);
  EXPECT_EQ(all.workers, 2);
  EXPECT_EQ(names(all), "0 1 2 3 ");
  const GpuSlots some = gpu_slots(8, 2, "5,GPU-3f", false);
  EXPECT_EQ(some.workers, 2);
  EXPECT_EQ(names(some), "5 GPU-3f ");
  EXPECT_EQ(gpu_slots(2, 1, "", false).workers, 1);
  const GpuSlots whole = gpu_slots(4, 8, "", true);
  EXPECT_EQ(whole.workers, 1);
  EXPECT_TRUE(whole.slots.empty());
  EXPECT_EQ(gpu_slots(2, 0, "", false).workers, 1);
}

TEST_F(Sweep, JobsRunSideBySide) {
  // Each of the two waits for the other's pipe: with one worker at a time neither could end.
  ASSERT_EQ(mkfifo((root_ + "/p").c_str(), 0600), 0);
  settings_.workers = 2;
  EXPECT_TRUE(run({job("writer", "echo x > " + root_ + "/p"), job("reader", "read x < " + root_ + "/p")}).ok());
}

TEST_F(Sweep, TwoSweepsOfOneFolderShareTheCells) {
  std::vector<Job> jobs;
  for (int i = 0; i < 30; ++i) {
    jobs.push_back(noting("cell" + std::to_string(i),
                          i % 3 == 2 ? std::vector<std::string>{"cell" + std::to_string(i - 1)} : std::vector<std::string>{}));
  }
  settings_.workers = 2;
  std::ostringstream other_shown;
  SweepSettings other = settings_;
  other.out = &other_shown;
  SweepResult second;
  std::thread thread([&] { second = run_jobs(jobs, other, is_done_); });
  const SweepResult first = run(jobs);
  thread.join();
  EXPECT_TRUE(first.ok());
  EXPECT_TRUE(second.ok());
  std::vector<std::string> ran = order();
  EXPECT_EQ(ran.size(), jobs.size());
  std::sort(ran.begin(), ran.end());
  EXPECT_EQ(std::unique(ran.begin(), ran.end()), ran.end());
}

TEST_F(Sweep, ALockDiesWithItsOwner) {
  const std::string folder = root_ + "/owned";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    const auto lock = JobLock::try_take(folder);
    (void)!write(ready[1], lock ? "y" : "n", 1);
    for (;;) pause();
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_TRUE(JobLock::is_taken(folder));
  EXPECT_FALSE(JobLock::try_take(folder).has_value());
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  EXPECT_FALSE(JobLock::is_taken(folder));
  EXPECT_TRUE(JobLock::try_take(folder).has_value());
}

TEST_F(Sweep, AWorkerThatOutlivesItsSweepKeepsTheLock) {
  const std::string folder = root_ + "/orphan";
  fs::create_directories(folder);
  ASSERT_EQ(mkfifo((root_ + "/up").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((root_ + "/go").c_str(), 0600), 0);
  const pid_t sweep = fork();
  if (sweep == 0) {
    Worker worker(
        {"/bin/sh", {"-c", "trap '' TERM; echo up > " + root_ + "/up; read x < " + root_ + "/go"}, {}, folder + "/log.txt"},
        std::move(*JobLock::try_take(folder)));
    for (;;) pause();
  }
  std::string line;
  std::getline(*std::make_unique<std::ifstream>(root_ + "/up"), line);
  EXPECT_EQ(line, "up");
  kill(sweep, SIGKILL);
  waitpid(sweep, nullptr, 0);
  EXPECT_TRUE(JobLock::is_taken(folder));
  std::ofstream(root_ + "/go") << "go\n";
  const int descriptor = open((folder + "/lock").c_str(), O_RDWR | O_CLOEXEC);
  EXPECT_EQ(flock(descriptor, LOCK_EX), 0);  // waits for the worker's end
  close(descriptor);
}

TEST_F(Sweep, KilledAtEveryCellItLosesNoneAndRedoesNoneThatIsDone) {
  // Each job kills the sweep the first time it runs, then goes on as far as it gets.
  std::vector<Job> jobs;
  for (int i = 0; i < 8; ++i) {
    const std::string id = "cell" + std::to_string(i);
    jobs.push_back(job(id, "test -e \"$D/killed\" || { : > \"$D/killed\"; kill -9 $PPID; }; echo x >> \"$D/runs\"",
                       i > 1 ? std::vector<std::string>{"cell" + std::to_string(i - 2)} : std::vector<std::string>{}));
  }
  settings_.workers = 2;
  for (int attempt = 0; attempt < 9; ++attempt) {
    std::vector<bool> done_before;
    for (const Job& one : jobs) done_before.push_back(is_done_(one));
    const pid_t sweep = fork();
    if (sweep == 0) {
      const SweepResult result = run(jobs);
      bool redone = false;
      for (size_t i = 0; i < jobs.size(); ++i) redone |= done_before[i] && result.jobs[i].ran_here;
      _exit(redone ? 2 : result.ok() ? 0 : 1);
    }
    int status = 0;
    waitpid(sweep, &status, 0);
    if (WIFSIGNALED(status)) continue;
    EXPECT_EQ(WEXITSTATUS(status), 0);
    for (const Job& one : jobs) EXPECT_TRUE(is_done_(one)) << one.id;
    return;
  }
  FAIL() << "nine sweeps did not finish eight cells that kill one each";
}

TEST_F(Sweep, AnInterruptReachesTheWorkersAndIsWaitedFor) {
  const std::vector<Job> jobs = {job("long", "trap ': > \"$D/saved\"; exit 130' INT; kill -INT $PPID; while :; do :; done"),
                                 noting("next", {"long"})};
  const pid_t sweep = fork();
  if (sweep == 0) {
    install_interrupt_handler();
    int status = 1;
    try {
      run(jobs);
    } catch (const Interrupted&) {
      status = 130;
    }
    _exit(status);
  }
  int status = 0;
  waitpid(sweep, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_TRUE(fs::exists(root_ + "/long/saved"));
  EXPECT_FALSE(fs::exists(root_ + "/long/failed.json"));
  EXPECT_TRUE(order().empty());
}

TEST_F(Sweep, PlainLinesSayHowFarAWorkerIs) {
  settings_.line_seconds = 0;
  ASSERT_EQ(mkfifo((root_ + "/p").c_str(), 0600), 0);
  settings_.workers = 2;
  // The second job may start only when the first has written its progress, and holds it until a round has passed.
  const std::vector<Job> jobs = {
      job("a", "printf '{\"done\":3,\"total\":12,\"unit\":\"steps\",\"note\":\"warm\"}' > \"$D/progress.json\"; read x < " +
                   root_ + "/p"),
      job("b", "while ! test -e " + root_ + "/a/progress.json; do :; done"), job("c", "echo x > " + root_ + "/p", {"b"})};
  EXPECT_TRUE(run(jobs).ok());
  EXPECT_NE(shown_.str().find("25 %  3/12 steps, warm"), std::string::npos) << shown_.str();
  EXPECT_NE(shown_.str().find("a: done"), std::string::npos);
}

TEST_F(Sweep, TheLiveViewLeavesOnlyLinesThatStay) {
  settings_.live = true;
  settings_.line_seconds = 0;
  EXPECT_TRUE(run({noting("a"), noting("b", {"a"})}).ok());
  const std::string shown = shown_.str();
  const size_t counts = shown.find("0 done, 1 running, 1 waiting, 0 failed, 0 blocked");
  ASSERT_NE(counts, std::string::npos) << shown;
  EXPECT_NE(shown.find("\x1b[2A\x1b[J", counts), std::string::npos) << shown;  // the job's line and the counts
  EXPECT_NE(shown.find("b: done"), std::string::npos);
}

TEST_F(Sweep, RefusesIdsTwiceUnknownOnesAndCircles) {
  EXPECT_THROW(run({noting("a"), noting("a")}), Error);
  EXPECT_THROW(run({noting("a", {"nobody"})}), Error);
  EXPECT_THROW(run({noting("a", {"b"}), noting("b", {"a"})}), Error);
}

TEST_F(Sweep, ProgressIsReadBackAndBrokenProgressIsNone) {
  write_progress(root_, {37, 100, "steps", "loss 0.2"});
  EXPECT_EQ(describe(*read_progress(root_)), "37/100 steps, loss 0.2");
  std::ofstream(root_ + "/progress.json") << "{\"done\":";
  EXPECT_FALSE(read_progress(root_).has_value());
}

TEST_F(Sweep, LastLinesAreCutAndCleaned) {
  std::ofstream(root_ + "/log") << "one\ntwo\n\x1b[31mthree\nfour\n";
  EXPECT_EQ(last_lines(root_ + "/log", 2), "[31mthree\nfour");
  EXPECT_EQ(last_lines(root_ + "/log", 9), "one\ntwo\n[31mthree\nfour");
  EXPECT_EQ(last_lines(root_ + "/none", 2), "");
}

TEST(DescribeSeconds, ChoosesItsUnits) {
  EXPECT_EQ(describe_seconds(12.4), "12 s");
  EXPECT_EQ(describe_seconds(190), "3 min 10 s");
  EXPECT_EQ(describe_seconds(3720), "1 h 02 min");
}

}  // namespace
}  // namespace harness
