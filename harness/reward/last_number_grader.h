// Grader "last_number": the last number of the text is the answer, for models that do not box theirs.
#pragma once

#include "harness/reward/grader.h"

namespace harness {

// The last decimal number of the response (sign, digits with thousands commas, point, no exponent), commas removed, trailing
// zeros after the point removed, compared exactly with the last number of the gold answer. A sign (`-`, a minus or dash of
// Unicode but the em dash) counts only where no digit, letter or closing bracket stands before it. Never undecided.
class LastNumberGrader final : public Grader {
 public:
  [[nodiscard]] std::string name() const override { return "last_number"; }
  [[nodiscard]] Verdict grade(std::string_view response, const Problem& problem) const override;
};

// The last number of the text as written; none if it has no digit.
std::optional<std::string> last_number(std::string_view text);
// "1,200.50" -> "1200.5", "-0" -> "0", "007" -> "7", "12." -> "12", a dash of Unicode as "-".
std::string plain_number(std::string_view number);

}  // namespace harness
