#include "harness/data/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

Outcome outcome() {
  Outcome one;
  one.set = "prec";
  one.problem = "p";
  one.sample = 3;
  one.verdicts = {{"limo", Correctness::undecided}, {"math", Correctness::wrong}, {"recipe", Correctness::right}};
  one.extracted = "4.0";
  one.finish = "stop";
  return one;
}

TEST(Outcome, KeepsVerdictsAsWordsInTheFileAndReadsThemBack) {
  const ScratchFolder folder;
  const std::string path = folder.path("outcomes.jsonl.zst");
  write_outcomes(path, {"recipe", {outcome()}});
  EXPECT_THAT(zstd_decompress(read_file(path)),
              testing::HasSubstr(R"("verdicts":{"limo":"undecided","math":"wrong","recipe":"right"})"));
  EXPECT_EQ(read_outcomes(path).outcomes.at(0).verdicts, outcome().verdicts);
}

TEST(Outcome, RefusesAnotherVerdictByFileLineAndGrader) {
  const ScratchFolder folder;
  Json line = parse_json(dump_line(to_json(outcome())));
  line["verdicts"]["math"] = "perhaps";
  const std::string path = folder.path("outcomes.jsonl.zst");
  write_file_atomically(path, zstd_compress("{\"version\": 1, \"main\": \"recipe\"}\n" + line.dump() + "\n"));
  EXPECT_EQ(error_of([&] { read_outcomes(path); }),
            path + ": line 2: verdict of math: expected right, wrong or undecided, found \"perhaps\"");
}

TEST(Outcome, ComparesTheNormalisedAnswerWhereThereIsOne) {
  Outcome one = outcome();
  EXPECT_EQ(one.final_answer(), "4.0");
  one.normalised = "4";
  EXPECT_EQ(one.final_answer(), "4");
  one.normalised = one.extracted = std::nullopt;
  EXPECT_EQ(one.final_answer(), std::nullopt);
  EXPECT_THROW((void)one.correct("other"), Error);
}

}  // namespace
}  // namespace harness
