// SympyCursor: a place in LaTeX text and the tokens at it, as the lexer of sympy's parser cuts them.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// The token at hand cannot go on; an outer rule may stop before it.
struct SympyStop {};
// The parser of sympy raises whatever stands around.
struct SympyRaise {};

// Each call passes over spaces and what the lexer skips first. A character that no token begins with raises.
class SympyCursor {
 public:
  explicit SympyCursor(std::string_view text) : text_(text) {}

 protected:
  void skip();
  // The first character of the next token; 0 at the end.
  char peek();
  bool take(char c);
  // As take; throws SympyStop where another token stands here.
  void expect(char c);
  // The command here, "\frac"; "" if there is none. The cursor stays.
  std::string command();
  bool take_command(std::string_view name);
  // Takes a relation sign and gives its one spelling; "" if there is none.
  std::string relation_operator();

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace harness
