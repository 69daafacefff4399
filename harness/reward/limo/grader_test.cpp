#include "harness/reward/limo/grader.h"

#include <gtest/gtest.h>

#include "harness/reward/limo/clean.h"
#include "harness/reward/limo/number_words.h"

namespace harness {
namespace {

bool right(const std::string& answer, const std::string& gold) {
  Problem problem;
  problem.answer = gold;
  return LimoGrader().grade("So $\\boxed{" + answer + "}$.", problem).correctness == Correctness::right;
}

TEST(LimoExtraction, TakesTheLastBoxedOfAnyKindEvenUnclosed) {
  EXPECT_EQ(limo_extract("\\boxed{1} and \\boxed{2"), "2");
  EXPECT_EQ(limo_extract("it is boxed 5$ here"), "5");
  EXPECT_EQ(limo_extract("\\fbox{5}"), std::nullopt);
  EXPECT_EQ(limo_extract("\\boxed{:5./}"), "5.");
}

TEST(LimoCleaning, FollowsThePublishedSteps) {
  EXPECT_EQ(limo_clean("50\\%"), "50");
  EXPECT_EQ(limo_clean("5 \\text{ cm}"), "5");
  EXPECT_EQ(limo_clean("\\text{even}"), "even");
  EXPECT_EQ(limo_clean("\\text{east}"), "") << "a unit word";
  EXPECT_EQ(limo_clean("m+1"), "+1") << "unit stripping eats single letters";
  EXPECT_EQ(limo_clean("\\sqrt3x"), "\\sqrt{3x}");
  EXPECT_EQ(limo_clean("2.00"), "2");
  EXPECT_EQ(limo_clean("x=5"), "5");
  EXPECT_EQ(limo_clean("3/4"), "\\frac{3}{4}");
  EXPECT_EQ(limo_clean("five"), "5");
  EXPECT_EQ(limo_clean("\\begin{array}{cc}1\\end{array}"), "\\begin{pmatrix}1\\end{pmatrix}");
}

TEST(NumberWords, AreReadAsThePackageReadsThem) {
  EXPECT_EQ(number_from_words("two hundred thirty four"), "234");
  EXPECT_EQ(number_from_words("two million three thousand nine hundred and eighty four"), "2003984");
  EXPECT_EQ(number_from_words("twenty-one"), "21");
  EXPECT_EQ(number_from_words("three point one four"), "3.14");
  EXPECT_EQ(number_from_words("007"), "7");
  EXPECT_EQ(number_from_words("x + y"), std::nullopt);
}

TEST(LimoGrader, IsCloseToAnAbsoluteTenThousandthAndAHundredfold) {
  EXPECT_TRUE(right("0.33334", "0.33333"));
  EXPECT_TRUE(right("0.00004", "0.00001"));
  EXPECT_TRUE(right("50", "0.5"));
  EXPECT_TRUE(right("0.5", "50"));
  EXPECT_FALSE(right("0.3335", "0.3333"));
  EXPECT_TRUE(right("0.33334", "\\frac{1}{3}"));
}

TEST(LimoGrader, StopsSilentlyWhereSympyDoes) {
  EXPECT_TRUE(right("2", "2,x"));
  EXPECT_TRUE(right("1", "1-\\sqrt 5 + \\sqrt"));
  EXPECT_FALSE(right("2", "3,x"));
}

TEST(LimoGrader, TakesEveryNameForAFreeSymbol) {
  EXPECT_FALSE(right("3.14159265", "\\pi"));
  EXPECT_TRUE(right("2\\pi", "\\pi+\\pi"));
  EXPECT_FALSE(right("i^2", "-1"));
}

TEST(LimoGrader, ReadsWhatPythonReads) {
  EXPECT_TRUE(right("'57'", "57"));
  EXPECT_TRUE(right("\"57\"", "57"));
  EXPECT_TRUE(right("57", "\"57\""));
  EXPECT_TRUE(right("'0.5'", "\\frac{1}{2}"));
  EXPECT_TRUE(right("'x'", "x"));
  EXPECT_FALSE(right("'x+1'", "x+1"));
  EXPECT_FALSE(right("'58'", "57"));
  EXPECT_FALSE(right("'57", "57"));
  EXPECT_TRUE(right("１２", "12"));
  EXPECT_TRUE(right("١٢", "12"));
  EXPECT_FALSE(right("１３", "12"));
}

TEST(LimoGrader, TakesAllNumbersBeyondDoublesForInfiniteAndTinyOnesForNothing) {
  EXPECT_TRUE(right("\\frac{1}{1814!}", "\\frac{1}{1812!}"));
  EXPECT_TRUE(right("2^{10001}", "2^{10000}"));
  EXPECT_TRUE(right("9^{9^{9}}+1", "9^{9^{9}}"));
  EXPECT_FALSE(right("-2^{10000}", "2^{10000}"));
  EXPECT_FALSE(right("2^{10000}", "2^{100}"));
}

TEST(LimoGrader, ReadsLeadingZerosAndBracketedMatricesAsItsSecondLibraryDoes) {
  EXPECT_TRUE(right("2:05", "6:15"));
  EXPECT_TRUE(right("x+05", "x+5"));
  EXPECT_FALSE(right("11:00", "2:00"));
  const std::string matrix = "\\begin{pmatrix}-\\frac{5}{4}&-3\\\\6&\\frac{1}{8}\\end{pmatrix}";
  EXPECT_TRUE(right(matrix, "\\left[\\begin{array}{cc}-\\frac{5}{4}&-3\\\\6&\\frac{1}{8}\\\\\\end{array}\\right]"));
  EXPECT_FALSE(right(matrix, "\\left[\\begin{array}{cc}-\\frac{5}{4}&-3\\\\6&\\frac{1}{9}\\\\\\end{array}\\right]"));
}

TEST(LimoGrader, IgnoresBracketsAndSortsLists) {
  EXPECT_TRUE(right("[1,2]", "(1,2)"));
  EXPECT_TRUE(right("2,1", "1,2"));
  EXPECT_TRUE(right("\\{2,1\\}", "\\{1,2\\}"));
  EXPECT_FALSE(right("(2,1)", "(1,2)"));
  EXPECT_TRUE(right("(A) 5", "5"));
  EXPECT_TRUE(right("B: yes", "B"));
}

TEST(LimoGrader, ComparesExpressionsAndEquations) {
  EXPECT_TRUE(right("(x+1)^2", "x^2+2x+1"));
  EXPECT_TRUE(right("f(x)=x+1", "f(x)=1+x"));
  EXPECT_TRUE(right("x+y<1", "x+y>1")) << "only |lhs - rhs| counts";
  EXPECT_FALSE(right("x+y=1", "x+y=2"));
  EXPECT_TRUE(right("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}"));
}

}  // namespace
}  // namespace harness
