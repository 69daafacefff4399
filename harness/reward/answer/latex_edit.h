// Rewritings of short LaTeX answers that more than one published grader makes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace harness {

// `\frac12` -> `\frac{1}{2}`, `\frac1{72}` -> `\frac{1}{72}`; unchanged as a whole where a `\frac` has one character after it;
// none where it has nothing.
std::optional<std::string> brace_fractions(const std::string& text);
// An integer written as Python prints it: no sign but `-`, no leading zero, at most 4300 digits (Python's limit for reading
// one).
bool is_plain_integer(std::string_view text);
// `a/b` of two plain integers -> `\frac{a}{b}`; `with_roots`: also where a part names a `sqrt`. Anything else is unchanged.
std::string slash_to_fraction(const std::string& text, bool with_roots = false);

}  // namespace harness
