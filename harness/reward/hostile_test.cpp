// Nothing a model writes crashes a grader or takes it long (docs/architecture.md, promise 7).
#include <gtest/gtest.h>

#include "harness/core/random.h"
#include "harness/reward/all_graders.h"
#include "harness/reward/latex/parser.h"

namespace harness {
namespace {

std::string repeat(const std::string& text, int n) {
  std::string result;
  for (int i = 0; i < n; ++i) result += text;
  return result;
}

std::vector<std::string> hostile_answers() {
  return {std::string(10000, '{') + std::string(10000, '}'),
          std::string(10000, '{'),
          std::string(3000, '(') + "1" + std::string(3000, ')'),
          "9^9^9^9",
          "9^{9^{9^{9}}}",
          "10^{1000000000}",
          "1e999999999",
          "1e-999",
          "(10^{10})!",
          "5!!!!!!!!",
          repeat("!", 3000),
          repeat("-", 3000) + "1",
          repeat("\\frac{1}{", 1000) + "2" + repeat("}", 1000),
          repeat("\\sqrt{", 1000) + "2" + repeat("}", 1000),
          repeat("1,", 1900) + "1",
          repeat("\\pm 1", 500),
          repeat("\\pm 1,", 300),
          repeat("|", 2000),
          repeat("(1,", 900),
          repeat("x=", 900),
          "\\binom{100000}{50000}",
          "\\begin{pmatrix}" + repeat("1&", 900) + "\\end{pmatrix}",
          repeat("9", 3900),
          repeat("2^{", 500) + "1" + repeat("}", 500),
          "1/0",
          "\\frac{0}{0}",
          "\\log 0",
          "\\tan\\frac{\\pi}{2}",
          "\xFF\xFE\x80",
          std::string("a\0b", 3),
          "\\",
          "{",
          "}",
          "_",
          "^",
          "\\frac",
          "\\text",
          "\\sqrt",
          "\\begin{",
          "\\end{pmatrix}",
          "\\left\\right",
          "\\boxed{\\boxed{",
          repeat("\\text{", 600),
          repeat("x(", 900),
          repeat("\\sin", 900),
          repeat("\\boxed{", 900),
          repeat("and ", 900),
          repeat("m ", 1500),
          repeat("x+", 1900) + "x",
          repeat("{1}", 1200),
          repeat("1^", 1800) + "1",
          repeat("1:", 1900) + "1",
          repeat("1 ", 1900) + "1/2",
          repeat("1{,}234", 500),
          repeat("\\{x|", 700),
          repeat("\\{x:x>1\\}\\cup", 250) + "\\mathbb{R}",
          repeat("x\\ne 1,", 450) + "2",
          repeat("x\\ne 1\\land ", 250) + "x<2",
          "\\mathbb{R}" + repeat("\\setminus\\{1,2,3\\}", 190),
          "\\mathbb{R}\\setminus\\{" + repeat("1,", 1800) + "2\\}",
          repeat("||x", 900),
          repeat("1e99999999", 350),
          repeat("３万", 600),
          repeat("\\boxed {", 900)};
}

TEST(Graders, SurviveHostileAnswers) {
  for (const std::string& name : grader_names()) {
    const std::unique_ptr<Grader> grader = make_grader(name);
    for (const std::string& answer : hostile_answers()) {
      for (const std::string& gold : {std::string("9^{9^9}+1"), std::string("1,2"), answer + "+1", std::string()}) {
        Problem problem;
        problem.answer = gold;
        EXPECT_NE(grader->grade("\\boxed{" + answer + "}", problem).why, "") << name;
      }
    }
  }
}

TEST(LatexParser, ReadsNothingBehindTheEndOfAText) {
  for (const std::string text : {"1_", "12_ ", "(3_", "x+4_"}) {
    StepBudget budget(1000);
    EXPECT_FALSE(parse_answer(text, "", budget)) << text;
  }
}

TEST(Graders, SurviveRandomSequencesOfTokens) {
  const std::vector<std::string> tokens = {"\\frac",
                                           "{",
                                           "}",
                                           "(",
                                           ")",
                                           "[",
                                           "]",
                                           "1",
                                           "23",
                                           "0.5",
                                           "x",
                                           "e",
                                           "\\pi",
                                           "^",
                                           "_",
                                           "!",
                                           "|",
                                           ",",
                                           ";",
                                           "=",
                                           "<",
                                           "\\cdot",
                                           "+",
                                           "-",
                                           "/",
                                           "\\sqrt",
                                           "\\text{a}",
                                           "\\cup",
                                           "\\infty",
                                           "%",
                                           "\\pm",
                                           "\\sin",
                                           "\\{",
                                           "\\}",
                                           " ",
                                           "\\\\",
                                           "&",
                                           "\\le",
                                           "\\begin{pmatrix}",
                                           "\\end{pmatrix}",
                                           "and",
                                           "½",
                                           ".",
                                           "'",
                                           "\\binom",
                                           "\\log",
                                           "f",
                                           ":",
                                           "10:30",
                                           "\\text{pm}",
                                           "\\mid",
                                           "\\lor",
                                           "\\land",
                                           "\\ne",
                                           "\\in",
                                           "\\mathbb{R}",
                                           "\\setminus",
                                           "{,}",
                                           "1e9999",
                                           "个",
                                           "R"};
  const RandomStream stream("random answers", {7});
  const std::vector<std::string> names = grader_names();
  uint64_t counter = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string answer[2];
    for (std::string& text : answer) {
      const uint64_t length = 1 + stream.below(counter++, 12);
      for (uint64_t i = 0; i < length; ++i) text += tokens[stream.below(counter++, tokens.size())];
    }
    Problem problem;
    problem.answer = answer[0];
    for (const std::string& name : names) EXPECT_NE(make_grader(name)->grade("\\boxed{" + answer[1] + "}", problem).why, "");
  }
}

TEST(Graders, SayUndecidedWhereAValueIsOutOfReach) {
  Problem problem;
  problem.answer = "9^{9^{9^9}}";
  const Verdict verdict = make_grader("math")->grade("\\boxed{9^{9^{9^8}}}", problem);
  EXPECT_EQ(verdict.correctness, Correctness::undecided);
  EXPECT_EQ(make_grader("math")->grade("\\boxed{9^{9^{9^9}} }", problem).correctness, Correctness::right);
}

}  // namespace
}  // namespace harness
