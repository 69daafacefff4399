// All graders by name, and several of them together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/reward/grader.h"

namespace harness {

// name: "recipe", "limo", "math" or "last_number". Throws Error for another name.
std::unique_ptr<Grader> make_grader(const std::string& name);
std::vector<std::string> grader_names();

// The graders of an evaluation, the main one first.
class Graders {
 public:
  // Throws Error for a name that is none.
  explicit Graders(const std::vector<std::string>& names);
  // Grades the outcome's text anew: the verdicts of all; answer and error label of the main one.
  void grade(Outcome& outcome, const Problem& problem) const;

 private:
  std::vector<std::unique_ptr<Grader>> graders_;
};

}  // namespace harness
