// `run` under a rule that adds seeds: the same looks whoever interrupts it, and no second rule unseen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/subprocess.h"
#include "tests/miniature.h"

extern char** environ;

namespace tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SeedRuleRun : public Miniature {
 protected:
  void SetUp() override {
    Miniature::SetUp();
    write("until.rule = \"group_sequential\"\nuntil.looks = [2, 3]\n");
  }
  void write(const std::string& head) const {
    std::string text = head + kExperiment;
    text.replace(text.find("k = [1, 2]"), 10, "k = [1, 2]\nprimary = [\"average pass@1\"]");
    scratch_.write("mini.toml", text);
  }
};

TEST_F(SeedRuleRun, AddsSeedsWhileSomethingIsUndecidedAndAKilledOneMakesTheSameLooks) {
  const auto whole = harness::run_process(command());
  ASSERT_EQ(whole.status, 0) << whole.err;
  EXPECT_THAT(whole.err, AllOf(HasSubstr("look 1"), HasSubstr("look 2"), HasSubstr("1 comparison to go on, to 3 seeds")));
  const harness::Json looks = harness::parse_json(harness::read_file((folder_ / "out/looks.json").string()));
  EXPECT_EQ(looks["looks"], 2);
  EXPECT_EQ(looks["seeds"], (harness::Json{{"tiny/GRPO", 3}, {"tiny/MEDS", 3}}));
  EXPECT_THAT(harness::read_file((folder_ / "out/results/verdicts.csv").string()), HasSubstr("GRPO,undecided,3,"));
  const auto again = harness::run_process(command());
  EXPECT_THAT(again.err, HasSubstr("0 cells run"));

  std::vector<std::string> arguments = command("killed", {"--jobs", "2"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  ASSERT_EQ(posix_spawn(&pid, MEDSBENCH_PROGRAM, nullptr, nullptr, argv.data(), environ), 0);
  int status = 0;  // killed while the seeds of the second look are run, or at the end at the latest
  while (!fs::exists(folder_ / "killed/looks.json") && waitpid(pid, &status, WNOHANG) == 0) sched_yield();
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  const auto resumed = harness::run_process(arguments);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  for (const char* name : {"looks.json", "results/verdicts.csv", "results/counts.csv", "results/table.md"}) {
    EXPECT_EQ(harness::read_file((folder_ / "out" / name).string()), harness::read_file((folder_ / "killed" / name).string()));
  }
  EXPECT_EQ(harness::run_process({MEDSBENCH_PROGRAM, "verify", (folder_ / "out/results").string()}).status, 0);

  // Another rule after the looks: refused, or written down.
  write("until.rule = \"group_sequential\"\nuntil.looks = [2, 3, 4]\n");
  const auto refused = harness::run_process(command());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("mini.toml: expected what was fixed before the first of 2 looks"), HasSubstr("--amend")));
  const auto amended = harness::run_process(command("out", {"--amend"}));
  ASSERT_EQ(amended.status, 0) << amended.err;
  EXPECT_THAT(harness::read_file((folder_ / "out/results/table.md").string()), HasSubstr("Changed after look 2: rule: "));
  EXPECT_THAT(harness::read_file((folder_ / "out/results/manifest.json").string()), HasSubstr("\"amended\""));
  EXPECT_EQ(harness::run_process({MEDSBENCH_PROGRAM, "verify", (folder_ / "out/results").string()}).status, 0);
}

TEST_F(SeedRuleRun, JudgesConditionsAtEveryLookAndAddsTheSameSeeds) {
  const std::string rule = "until.rule = \"group_sequential\"\nuntil.looks = [2, 3]\n";
  const std::string condition = "row = \"GRPO\"\nagainst = \"Base\"\nmetric = \"average pass@1\"\n";
  const auto write_guarded = [&](const std::string& is) {
    write(rule);
    std::string file = harness::read_file((folder_ / "mini.toml").string());
    file.replace(file.find("[table]"), 7, "[table]\nguarded = [\"MEDS\"]");
    scratch_.write("mini.toml", file + "[[conditions]]\n" + condition + "is = \"" + is + "\"\nby = 90\n");
  };
  write_guarded("worse");
  const auto whole = harness::run_process(command());
  ASSERT_EQ(whole.status, 0) << whole.err;
  const harness::Json looks = harness::parse_json(harness::read_file((folder_ / "out/looks.json").string()));
  EXPECT_EQ(looks["seeds"], (harness::Json{{"tiny/GRPO", 3}, {"tiny/MEDS", 3}}));
  EXPECT_THAT(harness::read_file((folder_ / "out/results/verdicts.csv").string()),
              HasSubstr("GRPO,withheld: GRPO worse Base in average pass@1 does not hold,3,"));
  EXPECT_THAT(harness::read_file((folder_ / "out/results/conditions.csv").string()),
              AllOf(HasSubstr("average pass@1,worse,0.9,3,3,"), HasSubstr(",does not hold\n")));
  EXPECT_EQ(harness::run_process({MEDSBENCH_PROGRAM, "verify", (folder_ / "out/results").string()}).status, 0);
  write_guarded("not_worse");
  const auto refused = harness::run_process(command());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("found conditions: {"), HasSubstr("--amend")));
}

TEST_F(SeedRuleRun, RefusesARuleWithoutWhatItNeeds) {
  const auto said = [&](const std::string& head, const std::vector<std::string>& more = {}) {
    write(head);
    std::vector<std::string> arguments = {MEDSBENCH_PROGRAM, "plan", (folder_ / "mini.toml").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return harness::run_process(arguments).err;
  };
  EXPECT_THAT(said("until.rule = \"group_sequential\"\n"),
              HasSubstr("until.looks: expected looks at 2 seeds or more, found none"));
  EXPECT_THAT(said("until.rule = \"group_sequential\"\nuntil.looks = [5, 5]\n"),
              HasSubstr("increasing order, found 5 after 5"));
  EXPECT_THAT(said("until.rule = \"half_width\"\n"), HasSubstr("until.half_width: expected a number above 0, found none"));
  EXPECT_THAT(said("until.rule = \"anytime\"\nuntil.largest = 4\n"),
              HasSubstr("until.largest: expected more than until.smallest = 5, found 4"));
  EXPECT_THAT(said("until.rule = \"anytime\"\nuntil.looks = [5]\n"), HasSubstr("until.looks: expected none with until.rule"));
  EXPECT_THAT(said("until.rule = \"sometimes\"\n"), HasSubstr("until.rule"));
  EXPECT_THAT(said("until.rule = \"anytime\"\n", {"--seeds", "3"}),
              HasSubstr("expected no --seeds beside it, found --seeds 3"));
}

}  // namespace
}  // namespace tests
