// Newer characters: those that the `tokenizers` package knows and the Unicode tables of our libraries may not
// (tables.h).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/text/unicode/tables.h"

namespace harness {

// A set of code points that is quick to say no.
class CodePointSet {
 public:
  explicit CodePointSet(std::span<const CodePointRange> ranges);
  [[nodiscard]] bool contains(char32_t value) const;

 private:
  std::span<const CodePointRange> ranges_;
  std::vector<bool> blocks_;  // of 256 code points: may hold one of the set
};

// A character of Unicode 14 with the same general category and as many bytes, for a newer one; else the character itself.
char32_t known_character(char32_t value);
// The same for each character of a text; `text` itself if it has no newer one, else it lives in `written`.
std::string_view with_known_characters(std::string_view text, std::string& written);

}  // namespace harness
