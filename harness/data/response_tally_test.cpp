#include "harness/data/response_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace harness {
namespace {

using testing::HasSubstr;
using testing::Not;

Problem problem_of(const std::string& text, const std::string& answer) {
  Problem problem;
  problem.text = text;
  problem.answer = answer;
  return problem;
}

TEST(ResponseTally, CountsEachResponseOnceByItsKind) {
  const Problem problem = problem_of("2+2", "4");
  ResponseTally tally;
  EXPECT_EQ(tally.share_right(), 0);
  EXPECT_EQ(tally.examples(), "");
  tally.add(problem, "4", Correctness::right, true, true);
  tally.add(problem, "4 and on", Correctness::right, true, false);  // right although it was cut off
  tally.add(problem, "5", Correctness::wrong, true, true);
  tally.add(problem, "?", Correctness::undecided, true, true);
  tally.add(problem, "hm", Correctness::wrong, false, true);
  tally.add(problem, "so on", Correctness::wrong, false, false);
  tally.add(problem, "5 and on", Correctness::wrong, true, false);
  EXPECT_EQ(tally.counts(), "of 7 responses 2 right, 2 wrong, 1 without an answer, 2 cut off");
  EXPECT_EQ(tally.total(), 7);
  EXPECT_DOUBLE_EQ(tally.share_right(), 2.0 / 7);
}

TEST(ResponseTally, ShowsTheFirstOfEachKindWithItsProblemCutToAFewLines) {
  ResponseTally tally;
  tally.add(problem_of("2+2\n?", "4"), std::string(1000, 'x') + "end\x1b[31m\xff", Correctness::wrong, false, true);
  tally.add(problem_of("3+3", "6"), "never shown", Correctness::wrong, false, true);
  tally.add(problem_of("1+1", "2"), "2", Correctness::right, true, true);
  const std::string examples = tally.examples();
  EXPECT_THAT(examples, HasSubstr("right (1 of 3), for example:\n  problem:  1+1\n  answer:   2\n  response: 2\n"));
  EXPECT_THAT(examples, HasSubstr("without an answer (2 of 3), for example:\n  problem:  2+2 ?\n  answer:   4\n"));
  EXPECT_THAT(examples, HasSubstr("xend [31m\uFFFD\n"));
  EXPECT_THAT(examples, Not(HasSubstr("never shown")));
  EXPECT_LT(examples.size(), 800u);
  EXPECT_EQ(std::count(examples.begin(), examples.end(), '\n'), 8);
}

TEST(ResponseTally, AdvisesByEachKindOfAQuarterOfTheResponses) {
  const Problem problem = problem_of("2+2", "4");
  const auto advice = [&](Correctness verdict, bool answered, bool stopped) {
    ResponseTally tally;
    tally.add(problem, "", verdict, answered, stopped);
    return tally.advice();
  };
  EXPECT_THAT(advice(Correctness::right, true, true), HasSubstr("too easy"));
  EXPECT_THAT(advice(Correctness::wrong, true, true), HasSubstr("easier problems"));
  EXPECT_THAT(advice(Correctness::wrong, false, true), HasSubstr("prompt.shots"));
  EXPECT_THAT(advice(Correctness::wrong, false, true), HasSubstr("cold start"));
  EXPECT_THAT(advice(Correctness::wrong, true, false), HasSubstr("sampling.max_new_tokens"));
  ResponseTally tally;
  for (int i = 0; i < 8; ++i) tally.add(problem, "", Correctness::wrong, i == 0, i < 3);  // 1 wrong, 2 without, 5 cut off
  EXPECT_THAT(tally.advice(), testing::StartsWith("many responses end at the length limit"));
  EXPECT_THAT(tally.advice(), HasSubstr("; the grader finds no answer in many responses"));
  EXPECT_THAT(tally.advice(), Not(HasSubstr("easier problems")));
}

}  // namespace
}  // namespace harness
