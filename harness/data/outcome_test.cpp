#include "harness/data/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

Outcome outcome_of(int64_t sample) {
  Outcome outcome;
  outcome.set = "nano/prec";
  outcome.problem = "prec1-0001";
  outcome.kind = "prec1";
  outcome.seed = 3;
  outcome.sample = sample;
  outcome.verdicts = {{"math", Correctness::undecided}, {"recipe", sample % 2 == 0 ? Correctness::right : Correctness::wrong}};
  outcome.extracted = "5.0";
  if (sample % 2 == 0) outcome.normalised = "5";
  outcome.error_label = sample % 2 == 0 ? "" : "slip";
  outcome.finish = "stop";
  outcome.tokens = 3;
  outcome.ids = {7, sample, 0};
  outcome.text = "\\boxed{5.0}";
  outcome.mean_log_prob = -0.25;
  outcome.mean_entropy = 0.5;
  outcome.fingerprint = {0.5F, -1.25F};
  return outcome;
}

// More rows than a frame holds.
TEST(OutcomeFile, ReadBackIsWhatWasWritten) {
  const ScratchFolder folder;
  OutcomeFile file{"recipe", {}};
  for (int64_t i = 0; i < 5000; ++i) file.outcomes.push_back(outcome_of(i));
  write_outcomes(folder.path("o.zst"), file);
  const OutcomeFile back = read_outcomes(folder.path("o.zst"));
  EXPECT_EQ(back.main_grader, "recipe");
  ASSERT_EQ(back.outcomes.size(), file.outcomes.size());
  for (size_t i = 0; i < back.outcomes.size(); ++i) {
    EXPECT_EQ(dump_line(to_json(back.outcomes[i])), dump_line(to_json(file.outcomes[i]))) << i;
  }
  EXPECT_EQ(back.outcomes[4097].ids, (std::vector<int64_t>{7, 4097, 0}));
  EXPECT_EQ(back.outcomes[1].fingerprint, file.outcomes[1].fingerprint);
  EXPECT_EQ(back.outcomes[1].normalised, std::nullopt);
  EXPECT_EQ(back.outcomes[1].kind, "prec1");
  EXPECT_TRUE(back.outcomes[0].correct("recipe"));
  EXPECT_FALSE(back.outcomes[1].correct("recipe"));
}

TEST(OutcomeFile, RefusesANewerVersionAndADamagedLineByItsPlace) {
  const ScratchFolder folder;
  const auto error_for = [&](const std::string& text) {
    const std::string path = folder.write("o.zst", zstd_compress(text));
    return error_of([&] { read_outcomes(path); });
  };
  const std::string head = R"({"version": 1, "main": "recipe"})";
  EXPECT_THAT(error_for(R"({"version": 2, "main": "recipe"})"),
              testing::HasSubstr("o.zst: line 1: expected version <= 1, found 2"));
  EXPECT_THAT(error_for(head + "\n{\"set\": 4}\n"), testing::HasSubstr("o.zst: line 2: "));
  EXPECT_THAT(error_for(""), testing::HasSubstr("expected an outcome file, found an empty one"));
  EXPECT_EQ(error_for(head + "\n"), "");
}

TEST(Outcome, IsRightByAGraderThatGradedIt) {
  EXPECT_THAT(error_of([] { (void)outcome_of(0).correct("limo"); }),
              testing::HasSubstr("expected a verdict of limo, found none"));
}

TEST(Outcome, KeepsVerdictsAsWordsInTheFileAndReadsThemBack) {
  const ScratchFolder folder;
  const std::string path = folder.path("outcomes.jsonl.zst");
  write_outcomes(path, {"recipe", {outcome_of(1)}});
  EXPECT_THAT(zstd_decompress(read_file(path)), testing::HasSubstr(R"("verdicts":{"math":"undecided","recipe":"wrong"})"));
  EXPECT_EQ(read_outcomes(path).outcomes.at(0).verdicts, outcome_of(1).verdicts);
}

TEST(Outcome, RefusesAnotherVerdictByFileLineAndGrader) {
  const ScratchFolder folder;
  Json line = parse_json(dump_line(to_json(outcome_of(1))));
  line["verdicts"]["math"] = "perhaps";
  const std::string path = folder.path("outcomes.jsonl.zst");
  write_file_atomically(path, zstd_compress("{\"version\": 1, \"main\": \"recipe\"}\n" + line.dump() + "\n"));
  EXPECT_EQ(error_of([&] { read_outcomes(path); }),
            path + ": line 2: verdict of math: expected right, wrong or undecided, found \"perhaps\"");
}

TEST(Outcome, ComparesTheNormalisedAnswerWhereThereIsOne) {
  Outcome one = outcome_of(1);
  EXPECT_EQ(one.final_answer(), "5.0");
  one.normalised = "5";
  EXPECT_EQ(one.final_answer(), "5");
  one.normalised = one.extracted = std::nullopt;
  EXPECT_EQ(one.final_answer(), std::nullopt);
}

}  // namespace
}  // namespace harness
