#include "harness/reward/grader.h"

#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/reward/all_graders.h"
#include "harness/reward/last_number_grader.h"
#include "harness/reward/overlong.h"

namespace harness {
namespace {

TEST(OverlongPenalty, GrowsLinearlyOverTheBuffer) {
  EXPECT_EQ(overlong_penalty(100, 3072, 512, 1), 0);
  EXPECT_EQ(overlong_penalty(2560, 3072, 512, 1), 0);
  EXPECT_DOUBLE_EQ(overlong_penalty(2816, 3072, 512, 1), -0.5);
  EXPECT_DOUBLE_EQ(overlong_penalty(3072, 3072, 512, 2), -2);
  EXPECT_EQ(overlong_penalty(3072, 3072, 0, 1), 0);
}

TEST(MakeGrader, KnowsEveryNameItLists) {
  for (const std::string& name : grader_names()) EXPECT_EQ(make_grader(name)->name(), name);
  EXPECT_THROW(make_grader("judge"), Error);
}

TEST(ErrorLabel, ComesFromTheProblemsMap) {
  Problem problem;
  problem.error_labels = {{"126", "left_to_right"}, {"12", "ambiguous"}};
  problem.has_error_labels = true;
  Verdict verdict;
  verdict.extracted = verdict.normalised = "126";
  EXPECT_EQ(error_label(verdict, problem, ""), "left_to_right");
  verdict.normalised = "12";
  EXPECT_EQ(error_label(verdict, problem, ""), "ambiguous");
  verdict.normalised = "13";
  EXPECT_EQ(error_label(verdict, problem, ""), "slip");
  verdict.normalised = std::nullopt;
  EXPECT_EQ(error_label(verdict, problem, ""), "");
  verdict.normalised = "126";
  verdict.correctness = Correctness::right;
  EXPECT_EQ(error_label(verdict, problem, ""), "");
  EXPECT_EQ(error_label(Verdict{Correctness::wrong, "5", "5", ""}, Problem{}, ""), "");
}

TEST(ErrorLabel, IsThatOfTheOpeningWhereAnswersDoNotTellStrategiesApart) {
  Problem problem;
  problem.error_labels = {{"20", "ambiguous"}, {"17", "other"}};
  problem.error_openings = {{"3*4=", "bracket_dropped"}, {"4-1=", "bracket_dropped_by_parts"}};
  problem.has_error_labels = true;
  const Verdict shared{Correctness::wrong, "20", "20", ""};
  EXPECT_EQ(error_label(shared, problem, "3*4=12;12+8=20;\\boxed{20}"), "bracket_dropped");
  EXPECT_EQ(error_label(shared, problem, "4-1=3;3*3=9;9+3=12;12+8=20;\\boxed{20}"), "bracket_dropped_by_parts");
  const Verdict slipped{Correctness::wrong, "21", "21", ""};
  EXPECT_EQ(error_label(slipped, problem, "3*4=13;13+8=21;\\boxed{21}"), "bracket_dropped");  // although it slipped
  EXPECT_EQ(error_label(slipped, problem, "4+8=12;\\boxed{21}"), "slip");
  EXPECT_EQ(error_label({Correctness::wrong, "17", "17", ""}, problem, "4+8=12;"), "other");  // no opening: by the answer
  EXPECT_EQ(error_label(shared, problem, "no steps"), "ambiguous");
  EXPECT_EQ(error_label({Correctness::right, "20", "20", ""}, problem, "3*4=12;"), "");
}

TEST(LastNumber, IsReadAsPeopleWriteNumbers) {
  EXPECT_EQ(last_number("It costs $1,200.50."), "1,200.50");
  EXPECT_EQ(last_number("from 3, 4"), "4");
  EXPECT_EQ(last_number("x = -7"), "-7");
  EXPECT_EQ(last_number("10-7"), "7");
  EXPECT_EQ(last_number("is .5 of it"), ".5");
  EXPECT_EQ(last_number("...5"), "5");
  EXPECT_EQ(last_number("12,3456"), "3456");
  EXPECT_EQ(last_number("none"), std::nullopt);
}

TEST(LastNumber, TakesAnyMinusOfUnicodeForASign) {
  const LastNumberGrader grader;
  Problem problem;
  for (const std::string dash : {"-", "−", "–", "‒", "‐", "‑", "﹣", "－"}) {
    problem.answer = "-5";
    const Verdict verdict = grader.grade("The change is " + dash + "5 degrees.", problem);
    EXPECT_EQ(verdict.correctness, Correctness::right) << dash;
    EXPECT_EQ(verdict.extracted, dash + "5");
    EXPECT_EQ(verdict.normalised, "-5");
    EXPECT_EQ(grader.grade("为" + dash + "5", problem).correctness, Correctness::right) << dash;
    EXPECT_EQ(grader.grade("10" + dash + "5", problem).correctness, Correctness::wrong) << dash;
    problem.answer = "5";
    EXPECT_EQ(grader.grade("The change is " + dash + "5 degrees.", problem).correctness, Correctness::wrong) << dash;
    problem.answer = dash + "5";
    EXPECT_EQ(grader.grade("it is -5.0", problem).correctness, Correctness::right) << dash;
  }
  problem.answer = "5";
  EXPECT_EQ(grader.grade("the answer —5", problem).correctness, Correctness::right) << "an em dash is punctuation";
}

TEST(LastNumber, IsComparedWithoutCommasAndTrailingZeros) {
  Problem problem;
  problem.answer = "1200";
  const LastNumberGrader grader;
  EXPECT_EQ(grader.grade("so $1,200.00 in all", problem).correctness, Correctness::right);
  EXPECT_EQ(grader.grade("so 1201", problem).correctness, Correctness::wrong);
  EXPECT_EQ(grader.grade("so none", problem).extracted, std::nullopt);
  EXPECT_EQ(plain_number("-0.0"), "0");
  EXPECT_EQ(plain_number("007"), "7");
  EXPECT_EQ(plain_number(".50"), "0.5");
}

}  // namespace
}  // namespace harness
