// Tables of answers and golds for the tests of the grader "math".
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/reward/math/math_grader.h"

namespace harness {

struct AnswerCase {
  const char* answer;
  const char* gold;
};

inline Verdict grade_as_math(const std::string& answer, const std::string& gold) {
  Problem problem;
  problem.answer = gold;
  return MathGrader().grade("So \\boxed{" + answer + "}.", problem);
}

inline void expect_verdicts(const std::vector<AnswerCase>& cases, Correctness wanted) {
  for (const AnswerCase& c : cases) {
    const Verdict verdict = grade_as_math(c.answer, c.gold);
    EXPECT_EQ(to_string(verdict.correctness), std::string(to_string(wanted)))
        << c.answer << " for " << c.gold << ": " << verdict.why;
  }
}

}  // namespace harness
