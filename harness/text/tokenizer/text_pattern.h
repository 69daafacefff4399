// Text pattern: {"String": ...} or {"Regex": ...} of a tokenizer.json part.
#pragma once

#include <string>
#include <string_view>

#include "harness/core/json.h"
#include "harness/text/unicode/regex.h"

namespace harness {

// The steps of a tokenizer may make a text longer, but not without bound: Error beyond 4 MiB and sixteen times the text.
void check_rewritten(size_t bytes, size_t before);

class TextPattern {
 public:
  // Reads the field "pattern" of `part`. Throws Error for anything else than one of the two forms.
  explicit TextPattern(const Json& part);
  [[nodiscard]] const Regex& regex() const { return regex_; }
  // Every match becomes `content`, which is taken as it stands. `text` is valid UTF-8.
  [[nodiscard]] std::string replace_all(std::string_view text, std::string_view content) const;

 private:
  Regex regex_;
};

}  // namespace harness
