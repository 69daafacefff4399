#include "harness/core/subprocess.h"

#include <gtest/gtest.h>

#include "harness/core/error.h"

namespace harness {
namespace {

TEST(Subprocess, GivesInputAndCollectsBothOutputsAndTheStatus) {
  const ProcessResult result = run_process({"sh", "-c", "cat; echo bad >&2; exit 3"}, "line one\n");
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.out, "line one\n");
  EXPECT_EQ(result.err, "bad\n");
}

TEST(Subprocess, PassesArgumentsWithoutAShell) {
  EXPECT_EQ(run_process({"printf", "%s|", "a b", "$HOME", "'"}).out, "a b|$HOME|'|");
}

TEST(Subprocess, SurvivesAProgramThatDoesNotReadItsInput) {
  EXPECT_EQ(run_process({"true"}, std::string(1 << 20, 'x')).status, 0);
}

TEST(Subprocess, CarriesMoreThanAPipeHolds) {
  const std::string input(1 << 20, 'y');
  EXPECT_EQ(run_process({"cat"}, input).out, input);
}

TEST(Subprocess, ReportsTheSignalThatEndedAProgram) { EXPECT_EQ(run_process({"sh", "-c", "kill -9 $$"}).status, 128 + 9); }

TEST(Subprocess, NamesAProgramThatIsNotThere) {
  EXPECT_EQ(find_program("no-such-program-anywhere"), "");
  EXPECT_THROW(run_process({"no-such-program-anywhere"}), Error);
}

}  // namespace
}  // namespace harness
