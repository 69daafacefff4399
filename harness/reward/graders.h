// Graders: the graders of an evaluation, the main one first, and what they leave in an outcome.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/reward/grader.h"

namespace harness {

class Graders {
 public:
  // Throws Error for a name that is none.
  explicit Graders(const std::vector<std::string>& names);
  // Grades the outcome's text anew: verdicts of all; answer and error label of the main one.
  void grade(Outcome& outcome, const Problem& problem) const;

 private:
  std::vector<std::unique_ptr<Grader>> graders_;
};

}  // namespace harness
