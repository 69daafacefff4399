// The program from outside: exit statuses and the one line on stderr.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/testing.h"
#include "tests/program.h"

namespace tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The verbs that `medsbench WORDS... --help` lists.
std::vector<std::string> verbs_of(std::vector<std::string> words) {
  words.push_back("--help");
  std::istringstream help(medsbench(words).out);
  std::vector<std::string> verbs;
  for (std::string line; std::getline(help, line);) {
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ' && line[2] != '-')
      verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return verbs;
}

void expect_one_line(const harness::ProcessResult& result, const std::string& part) {
  EXPECT_EQ(result.status, 1) << result.out << result.err;
  EXPECT_THAT(result.err, StartsWith("medsbench: "));
  EXPECT_THAT(result.err, HasSubstr(part));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

class Program : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return scratch_.path(name); }
  std::string file(const std::string& name, const std::string& text) const { return scratch_.write(name, text); }

  const harness::ScratchFolder scratch_;
};

TEST_F(Program, EveryVerbHasHelpThatNamesIt) {
  std::vector<std::vector<std::string>> all;
  for (const auto& verb : verbs_of({})) all.push_back({verb});
  ASSERT_GE(all.size(), 8u);
  for (const auto& verb : verbs_of({"inspect"})) all.push_back({"inspect", verb});
  for (auto words : all) {
    const std::string verb = words.back();
    words.push_back("--help");
    const auto result = medsbench(words);
    EXPECT_EQ(result.status, 0) << verb;
    EXPECT_THAT(result.out, HasSubstr("Usage:")) << verb;
    EXPECT_THAT(result.out, HasSubstr(verb));
  }
}

TEST_F(Program, HelpBeginsWithWhatANewcomerNeeds) {
  const std::vector<std::string> verbs = verbs_of({});
  ASSERT_GE(verbs.size(), 20u);
  EXPECT_THAT(std::vector(verbs.begin(), verbs.begin() + 5), testing::ElementsAre("run", "plan", "check", "status", "table"));
  const std::string help = medsbench({"--help"}).out;
  for (const char* title : {"An experiment, from plan to tables:", "Problems and models:", "The parts by themselves:"}) {
    EXPECT_THAT(help, HasSubstr(title));
  }
  EXPECT_THAT(help, HasSubstr("medsbench run experiments/quickstart.toml"));
  EXPECT_THAT(help, testing::Not(HasSubstr("Subcommands:")));
}

TEST_F(Program, AWrongCommandLineExitsWithTwo) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"frobnicate"}, {"inspect"}, {"grade", "--grader", "nosuch"}, {"import", "--out"}, {"score", "--nosuch"}}) {
    const auto result = medsbench(words);
    EXPECT_EQ(result.status, 2) << testing::PrintToString(words) << result.err;
    EXPECT_THAT(result.out, testing::IsEmpty());
    EXPECT_THAT(result.err, testing::Not(testing::IsEmpty()));
  }
}

TEST_F(Program, AMissingFileIsNamed) {
  expect_one_line(medsbench({"table", path("none")}), path("none"));
  expect_one_line(medsbench({"import", path("none.gguf"), "--out", path("model")}), path("none.gguf"));
  EXPECT_FALSE(std::filesystem::exists(path("model")));
}

TEST_F(Program, AnUnknownProblemSetNamesTheNearest) {
  expect_one_line(medsbench({"data", "show", "wrods"}), "nearest is words");
}

TEST_F(Program, ALineThatCannotBeReadIsAnsweredInItsPlace) {
  const auto result = medsbench({"grade"},
                                "{\"response\": \"\\\\boxed{4}\", \"answer\": \"4\"}\nnot JSON\n"
                                "{\"response\": \"\\\\boxed{5}\", \"answer\": \"4\"}\n");
  EXPECT_EQ(result.status, 1);
  std::istringstream lines(result.out);
  std::string first, second, third;
  std::getline(lines, first);
  std::getline(lines, second);
  std::getline(lines, third);
  EXPECT_THAT(first, HasSubstr("\"right\""));
  EXPECT_THAT(second, StartsWith("{\"error\""));
  EXPECT_THAT(third, HasSubstr("\"wrong\""));
}

TEST_F(Program, AKeyThatNothingReadsNamesItsLineAndTheNearestKey) {
  const std::string config = file("a.toml", "base = \"dapo\"\n[loss]\nclip_lo = 0.2\n");
  expect_one_line(medsbench({"config", config}), config + ": line 3: loss.clip_lo: ");
  expect_one_line(medsbench({"config", config}), "the nearest is loss.clip_low");
}

TEST_F(Program, AValueOfTheWrongTypeOrOutOfRangeIsNamedWithWhatWasExpected) {
  const std::string range = file("range.toml", "base = \"dapo\"\n[loss]\nclip_low = 2\n");
  expect_one_line(medsbench({"config", range}), "line 3: loss.clip_low: expected a number in [0, 1], found 2");
  const std::string type = file("type.toml", "base = \"dapo\"\n[loss]\nclip_low = \"x\"\n");
  expect_one_line(medsbench({"config", type}), "line 3: loss.clip_low: expected a number, found \"x\"");
  const std::string base = file("base.toml", "base = \"papo\"\n");
  expect_one_line(medsbench({"config", base}), "base: expected one of");
  expect_one_line(medsbench({"config", file("broken.toml", "base = \"dapo\"\n[loss\n")}), "broken.toml: line 2: expected TOML");
}

TEST_F(Program, RunAndModelsThatAreNotThereAreNamed) {
  expect_one_line(medsbench({"run", path("none.toml")}), path("none.toml"));
  expect_one_line(medsbench({"generate", "--model", path("none")}, "{\"prompt\": \"1+1\"}\n"), path("none"));
}

TEST_F(Program, DiffPrintsTheKeysInWhichTwoRowsDiffer) {
  const auto result = medsbench({"diff", file("a.toml", "base = \"dapo\"\n"), file("b.toml", "base = \"grpo\"\n")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("loss.clip_high: 0.28 | 0.2\n"));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("loss.clip_low")));
}

TEST_F(Program, TheExperimentShownInTheReadmeIsUnderstood) {
  const std::string readme = harness::read_file(std::string(MEDSBENCH_SOURCE_DIR) + "/README.md");
  const size_t start = readme.find("```toml\n");
  ASSERT_NE(start, std::string::npos);
  const std::string toml = readme.substr(start + 8, readme.find("```", start + 8) - start - 8);
  const std::string experiment = file("readme.toml", toml);
  const auto config = medsbench({"config", experiment, "--row", "MEDS"});
  EXPECT_EQ(config.status, 0) << config.err;
  EXPECT_THAT(config.out, HasSubstr("\nmethod.alpha = 0.1  # "));
  // With its model and data nothing else is found.
  const std::string model = std::string(MEDSBENCH_SOURCE_DIR) + "/tests/testdata/tiny-qwen3";
  const auto check =
      medsbench({"check", experiment, "--set", "models.mine.path=\"" + model + "\"", "--set", "models.mine.positions=4096",
                 "--set", "run.models=\"" + path("models") + "\"", "--out", path("out"), "--jobs", "1"});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
  std::istringstream findings(check.out);
  for (std::string line; std::getline(findings, line);) {
    EXPECT_THAT(line, StartsWith("missing: "));
    EXPECT_THAT(line, testing::AnyOf(HasSubstr(": data."), HasSubstr(": numerics.device: ")));
  }
  const auto diff = medsbench({"diff", experiment, experiment, "--other-row", "MEDS"});
  EXPECT_EQ(diff.status, 0) << diff.err;
  EXPECT_THAT(diff.out, HasSubstr("method.name: "));
}

}  // namespace
}  // namespace tests
