#include "harness/reward/recipe/recipe_grader.h"

#include <gtest/gtest.h>

#include "harness/reward/answer/boxed.h"
#include "harness/reward/recipe/hendrycks.h"

namespace harness {
namespace {

Verdict recipe_grade(const std::string& response, const std::string& answer) {
  Problem problem;
  problem.answer = answer;
  return RecipeGrader().grade(response, problem);
}

bool recipe_right(const std::string& response, const std::string& answer) {
  return recipe_grade(response, answer).correctness == Correctness::right;
}

TEST(RecipeExtraction, TakesTheLastBoxWithBalancedBraces) {
  EXPECT_EQ(recipe_boxed_answer("\\boxed{1} then \\boxed{\\frac{1}{2}}."), "\\frac{1}{2}");
  EXPECT_EQ(recipe_boxed_answer("\\boxed{1} then \\boxed{2"), std::nullopt);
  EXPECT_EQ(recipe_boxed_answer("no box"), std::nullopt);
}

TEST(RecipeExtraction, FindsAnFboxButNeverAnAnswerInIt) {
  EXPECT_EQ(recipe_boxed_answer("\\fbox{5}"), std::nullopt);
  EXPECT_FALSE(recipe_right("\\fbox{5}", "5"));
}

TEST(RecipeExtraction, LetsABoxWithASpaceTakeOverFromALaterOne) {
  EXPECT_EQ(recipe_boxed_answer("$\\boxed 7$ and \\boxed{8}"), "7");
  EXPECT_EQ(recipe_boxed_answer("\\boxed {7}"), "{7}");
}

TEST(RecipeExtraction, RefusesABoxThatIsNotFollowedByABrace) {
  EXPECT_EQ(recipe_boxed_answer("\\boxed5 {6}"), std::nullopt);
  EXPECT_EQ(recipe_boxed_answer("\\boxedanswer{6}"), std::nullopt);
}

TEST(HendrycksNormalisation, FollowsThePublishedOrderOfEdits) {
  EXPECT_EQ(hendrycks_normalise("\\dfrac{1}{2}"), "\\frac{1}{2}");
  EXPECT_EQ(hendrycks_normalise("\\tfrac12"), "\\frac{1}{2}");
  EXPECT_EQ(hendrycks_normalise("\\frac1{72}"), "\\frac{1}{72}");
  EXPECT_EQ(hendrycks_normalise("\\left( 1, 2 \\right)"), "(1,2)");
  EXPECT_EQ(hendrycks_normalise("90^\\circ"), "90");
  EXPECT_EQ(hendrycks_normalise("\\$5"), "5");
  EXPECT_EQ(hendrycks_normalise("5\\%"), "5");
  EXPECT_EQ(hendrycks_normalise("5%"), "5%");
  EXPECT_EQ(hendrycks_normalise("5\\text{ cm}"), "5");
  EXPECT_EQ(hendrycks_normalise("5\\text{cm}"), "5\\text{cm}");
  EXPECT_EQ(hendrycks_normalise("\\sqrt3"), "\\sqrt{3}");
  EXPECT_EQ(hendrycks_normalise("0.5"), "\\frac{1}{2}");
  EXPECT_EQ(hendrycks_normalise(".5"), "\\frac{1}{2}");
  EXPECT_EQ(hendrycks_normalise("-.5"), "-.5");
  EXPECT_EQ(hendrycks_normalise("x .5"), "x0.5");
  EXPECT_EQ(hendrycks_normalise("3/4"), "\\frac{3}{4}");
  EXPECT_EQ(hendrycks_normalise("03/4"), "03/4");
  EXPECT_EQ(hendrycks_normalise("-3/4"), "\\frac{-3}{4}");
  EXPECT_EQ(hendrycks_normalise("a/b"), "a/b");
  EXPECT_EQ(hendrycks_normalise(""), "");
}

TEST(HendrycksNormalisation, RemovesAPrefixOfTwoCharactersBeforeSpacesGo) {
  EXPECT_EQ(hendrycks_normalise("x=5"), "5");
  EXPECT_EQ(hendrycks_normalise("x =5"), "5");
  EXPECT_EQ(hendrycks_normalise("xy =5"), "xy=5");
  EXPECT_EQ(hendrycks_normalise("x=y=5"), "x=y=5");
  EXPECT_EQ(hendrycks_normalise("=5"), "5");
  EXPECT_EQ(hendrycks_normalise("\xCE\xB1\xCE\xB2=5"), "5") << "two characters, four bytes";
}

TEST(HendrycksNormalisation, FailsWhereThePublishedCodeRaises) {
  EXPECT_EQ(hendrycks_normalise("5\\text{ cm}\\text{ b}"), std::nullopt);
  EXPECT_EQ(hendrycks_normalise("\\frac"), std::nullopt);
  EXPECT_EQ(hendrycks_normalise("\\sqrt"), std::nullopt);
  EXPECT_EQ(hendrycks_normalise("\\frac1"), "\\frac1");
}

TEST(RecipeGrader, ComparesRawStringsWhereNormalisationFails) {
  EXPECT_TRUE(recipe_right("\\boxed{5\\text{ a}\\text{ b}}", "5\\text{ a}\\text{ b}"));
  EXPECT_FALSE(recipe_right("\\boxed{5\\text{ a}\\text{ b} }", "5\\text{ a}\\text{ b}"));
  EXPECT_EQ(recipe_grade("\\boxed{ \\frac}", "1").normalised, " \\frac");
}

TEST(RecipeGrader, SaysWhatItReadAndWhatItMadeOfIt) {
  const Verdict verdict = recipe_grade("so $\\boxed{ \\dfrac34 }$", "3/4");
  EXPECT_EQ(verdict.correctness, Correctness::right);
  EXPECT_EQ(verdict.extracted, " \\dfrac34 ");
  EXPECT_EQ(verdict.normalised, "\\frac{3}{4}");
}

TEST(RecipeGrader, IsQuickOnDeepBraces) {
  const std::string deep = "\\boxed{" + std::string(10000, '{') + std::string(10000, '}') + "}";
  EXPECT_EQ(recipe_grade(deep, "1").correctness, Correctness::wrong);
}

}  // namespace
}  // namespace harness
