// LatexCursor: a place in LaTeX text and the tokens at it.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// What stands at the cursor has none of the forms that are read.
struct NotMathematics {};

// Each call passes over spaces first.
class LatexCursor {
 public:
  explicit LatexCursor(std::string_view text) : text_(text) {}

 protected:
  void skip();
  bool at_end();
  // The next byte; 0 at the end.
  char peek();
  // Passes the token if it stands here; a command only where no further letter follows.
  bool take(std::string_view token);
  // As take; throws NotMathematics where another token stands here.
  void expect(std::string_view token);
  // The command here, "\frac"; "" if there is none. The cursor stays.
  std::string command();
  // The raw content of a `{...}`. Throws NotMathematics where there is none.
  std::string raw_group();
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace harness
