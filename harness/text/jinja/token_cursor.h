// TokenCursor: a place in a template's tokens.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/text/jinja/lexer.h"

namespace harness::jinja {

class TokenCursor {
 public:
  explicit TokenCursor(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] const Token& current() const { return tokens_[at_]; }
  [[nodiscard]] const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  // The current token, which is passed; at the end it stays.
  Token next() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  [[nodiscard]] bool is_name(std::string_view name) const {
    return current().kind == TokenKind::kName && current().text == name;
  }
  [[nodiscard]] bool is_operator(std::string_view text) const {
    return current().kind == TokenKind::kOperator && current().text == text;
  }
  // Passes the name (operator) if it stands here; whether it did.
  bool skip_name(std::string_view name);
  bool skip_operator(std::string_view text);
  // As skip_operator; fails where something else stands here.
  void expect_operator(std::string_view text);
  // Passes a name and returns it; fails where there is none.
  std::string expect_name();
  // Throws Error with the line, what was expected and the current token.
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace harness::jinja
