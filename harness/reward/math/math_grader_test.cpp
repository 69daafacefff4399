#include "harness/reward/math/math_grader.h"

#include <gtest/gtest.h>

#include "harness/reward/math/testing.h"

namespace harness {
namespace {

TEST(MathGrader, AcceptsTheSameNumberInAnyForm) {
  expect_verdicts({{"42.", "42"},
                   {"1.6 \\times 10^{-19}", "1.6e-19"},
                   {"3 \\times 10^{8}", "3e8"},
                   {"300000000", "3e8"},
                   {"3.0e+8", "3e8"},
                   {"½", "\\frac{1}{2}"},
                   {"0.\\overline{3}", "\\frac{1}{3}"},
                   {"1,000", "1000"},
                   {"1{,}000", "1000"},
                   {"1\\,000", "1000"},
                   {"0.333333", "1/3"},
                   {"\\dfrac{-3}{4}", "-\\frac34"},
                   {"2\\frac{1}{2}", "\\frac52"},
                   {"\\sqrt{8}", "2\\sqrt2"},
                   {"\\frac{1}{\\sqrt 2}", "\\frac{\\sqrt{2}}{2}"},
                   {"2^{10}", "1024"},
                   {"5!", "120"},
                   {"\\binom{5}{2}", "10"},
                   {"\\text{12}", "12"},
                   {"27.0", "27"},
                   {"\\log_2 8", "3"},
                   {"\\sin\\frac{\\pi}{6}", "0.5"},
                   {"3:4", "\\frac{3}{4}"},
                   {"|{-3}|", "3"},
                   {"\\lfloor 2.5 \\rfloor", "2"},
                   {"\\sqrt[3]{27}", "3"},
                   {"e^{i\\pi}", "-1"},
                   {"10\\%", "0.1"},
                   {"10%", "10"}},
                  Correctness::right);
}

TEST(MathGrader, RefusesNumbersThatOnlyComeNear) {
  expect_verdicts({{"0.333", "1/3"},
                   {"3.14", "\\pi"},
                   {"2.5 \\times 10^{-19}", "1.6e-19"},
                   {"24e", "3e8"},
                   {"3 \\times 10^{9}", "3e8"},
                   {"41", "42"},
                   {"-5", "5"},
                   {"40.0000001", "40"},
                   {"2^{100}+1", "2^{100}"},
                   {"100!+1", "100!"}},
                  Correctness::wrong);
}

TEST(MathGrader, StripsUnitsAndTheLike) {
  expect_verdicts({{"5\\text{ cm}", "5"},
                   {"5 \\mathrm{~m/s}^{2}", "5"},
                   {"12 hours", "12"},
                   {"\\$18", "18"},
                   {"90^\\circ", "90"},
                   {"\\displaystyle 7", "7"},
                   {"\\approx 3", "3"},
                   {"x = 5", "5"},
                   {"5", "x=5"},
                   {"\\pi \\text{ cm}", "\\pi"}},
                  Correctness::right);
}

TEST(MathGrader, ComparesListsAndSetsInAnyOrderAndTuplesInTheirs) {
  expect_verdicts({{"2, 1", "1,2"},
                   {"\\{2,1\\}", "\\{1,2\\}"},
                   {"1 \\text{ and } 2", "1,2"},
                   {"x=1 \\text{ or } x=2", "2,1"},
                   {"\\pm 2", "-2, 2"},
                   {"1\\pm\\sqrt5", "1-\\sqrt{5},1+\\sqrt{5}"},
                   {"\\left(1, 2\\right)", "(1,2)"},
                   {"\\varnothing", "\\emptyset"},
                   {"\\{\\}", "\\emptyset"}},
                  Correctness::right);
  expect_verdicts({{"(2,1)", "(1,2)"}, {"1", "1,2"}, {"1,2,2", "1,2"}, {"1,3", "1,2"}}, Correctness::wrong);
}

TEST(MathGrader, KnowsIntervalsAndTheirInequalities) {
  expect_verdicts({{"(-\\infty, 2)\\cup(3,\\infty)", "(3,\\infty) \\cup (-\\infty,2)"},
                   {"1 < x < 2", "(1,2)"},
                   {"x\\in[1,2)", "[1,2)"},
                   {"x \\ge 3", "[3,\\infty)"},
                   {"3 \\le x", "x \\geq 3"},
                   {"[-\\infty, 3]", "(-\\infty,3]"},
                   {"2x > 6", "x > 3"}},
                  Correctness::right);
  expect_verdicts({{"[1,2]", "(1,2)"}, {"x > 3", "x \\ge 3"}, {"x<3", "x>3"}, {"(1,\\infty)", "(-\\infty,1)"}},
                  Correctness::wrong);
}

TEST(MathGrader, KnowsExpressionsEquationsAndMatrices) {
  expect_verdicts({{"(x+1)^2", "x^2+2x+1"},
                   {"\\frac{x}{2}+\\frac{x}{3}", "\\frac{5x}{6}"},
                   {"2 y = 4 x - 2", "y=2x-1"},
                   {"\\sin^2 x + \\cos^2 x", "1"},
                   {"\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}", "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}"},
                   {"\\ln x^2", "2 \\ln |x|"},
                   {"a_{1}+b", "b + a_1"},
                   {"\\text{Even}", "even"},
                   {"\\text{(C)}", "C"}},
                  Correctness::right);
  expect_verdicts({{"(x+1)^2", "x^2+1"},
                   {"y=2x", "y=2x-1"},
                   {"x=5", "y=5"},
                   {"\\lfloor m/4\\rfloor", "\\lfloor m/2\\rfloor"},
                   {"\\text{odd}", "\\text{even}"},
                   {"\\sqrt{x^2}", "x"},
                   {"58 or 500", "58,500"}},
                  Correctness::wrong);
}

TEST(MathGrader, UsesTheToleranceUnitAndSeveralAnswersOfTheSet) {
  Problem problem;
  problem.answer = "3.14";
  problem.tolerance = "1e-2";
  EXPECT_EQ(MathGrader().grade("\\boxed{3.149}", problem).correctness, Correctness::right);
  EXPECT_EQ(MathGrader().grade("\\boxed{3.151}", problem).correctness, Correctness::wrong);
  problem = {};
  problem.answer = "2, 3";
  problem.answers = {"2", "3"};
  problem.tolerance = "0.1,0.001";
  EXPECT_EQ(MathGrader().grade("\\boxed{3, 2.05}", problem).correctness, Correctness::right);
  EXPECT_EQ(MathGrader().grade("\\boxed{3.05, 2}", problem).correctness, Correctness::wrong);
  EXPECT_EQ(MathGrader().grade("\\boxed{2} or \\boxed{3}", problem).correctness, Correctness::right);
  problem = {};
  problem.answer = "9.8";
  problem.unit = "m/s^2";
  EXPECT_EQ(MathGrader().grade("\\boxed{9.8 m/s^2}", problem).correctness, Correctness::right);
}

TEST(MathGrader, TakesTheLastClosedBoxOfAnyKind) {
  Problem problem;
  problem.answer = "7";
  EXPECT_EQ(MathGrader().grade("\\boxed{3}, no: \\fbox{7} and \\boxed{8", problem).extracted, "7");
  const Verdict none = MathGrader().grade("the answer is 7", problem);
  EXPECT_EQ(none.extracted, std::nullopt);
  EXPECT_EQ(none.correctness, Correctness::wrong);
}

TEST(MathGrader, NormalisesPlainIntegersToThemselves) { EXPECT_EQ(grade_as_math(" 126 ", "62").normalised, "126"); }

}  // namespace
}  // namespace harness
