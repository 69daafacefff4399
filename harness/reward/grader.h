// Grader: says whether a response answers its problem; three outcomes, never an exception for what a model wrote.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/data/correctness.h"
#include "harness/data/problem.h"

namespace harness {

struct Verdict {
  Correctness correctness = Correctness::wrong;
  std::optional<std::string> extracted;   // the answer as written; none: no answer found (then wrong)
  std::optional<std::string> normalised;  // the answer after the grader's normalisation
  std::string why;                        // one line for `grade --explain`
};

class Grader {
 public:
  virtual ~Grader() = default;
  // As outcomes store it.
  [[nodiscard]] virtual std::string name() const = 0;
  // Never throws for any bytes in `response`; work is bounded by a step budget, not by a clock.
  [[nodiscard]] virtual Verdict grade(std::string_view response, const Problem& problem) const = 0;
};

// The true error label of a graded response (docs/evaluation.md, "Error labels"): "" if right, without an answer, or where the
// problem knows none; else the strategy whose opening the response has, the map's label for the normalised answer, or "slip".
std::string error_label(const Verdict& verdict, const Problem& problem, std::string_view response);

}  // namespace harness
