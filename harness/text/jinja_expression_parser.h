// Jinja expressions: the part of the parser inside a tag, with the precedence of Jinja 3.1.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/text/jinja_ast.h"
#include "harness/text/jinja_lexer.h"

namespace harness::jinja {

class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] const Token& current() const { return tokens_[at_]; }
  [[nodiscard]] const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token next() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  [[nodiscard]] bool is_name(std::string_view name) const { return current().kind == TokenKind::kName && current().text == name; }
  [[nodiscard]] bool is_operator(std::string_view text) const {
    return current().kind == TokenKind::kOperator && current().text == text;
  }
  bool skip_name(std::string_view name);
  bool skip_operator(std::string_view text);
  void expect_operator(std::string_view text);
  std::string expect_name();
  [[noreturn]] void fail(const std::string& expected) const;

  // One expression; `conditional`: may be `a if b else c`.
  ExpressionPtr expression(bool conditional = true);
  // One expression or several with commas, a tuple then.
  ExpressionPtr tuple(bool conditional = true, std::string_view stop_name = "");
  // The names a loop or an assignment binds: a name, a tuple of them, or (`with_attribute`) namespace.name.
  ExpressionPtr target(bool with_attribute);
  // The filters behind `|`, over `input` (null: the text of a block).
  ExpressionPtr filter_chain(ExpressionPtr input);
  // A filter chain that begins without `|`, as in {% filter NAME | NAME %}.
  ExpressionPtr first_filter() { return filter_chain(filter(nullptr)); }
  CallSyntax call_arguments();
  ExpressionPtr unary(bool with_filter = true);

 private:
  struct Depth;
  ExpressionPtr make(ExpressionKind kind) const;
  // Adds a part (may be null) or a call's arguments to a node; fails where the tree becomes too tall.
  void adopt(Expression& node, ExpressionPtr part) const;
  void adopt_call(Expression& node, CallSyntax syntax) const;
  void grow(Expression& node, const Expression& part) const;
  ExpressionPtr binary(const std::string& name, ExpressionPtr left, ExpressionPtr right) const;
  ExpressionPtr conditional_expression();
  ExpressionPtr or_expression();
  ExpressionPtr and_expression();
  ExpressionPtr not_expression();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr primary();
  ExpressionPtr list();
  ExpressionPtr dict();
  ExpressionPtr postfix(ExpressionPtr node);
  ExpressionPtr subscript(ExpressionPtr node);
  ExpressionPtr filters_and_tests(ExpressionPtr node);
  ExpressionPtr filter(ExpressionPtr node);
  ExpressionPtr test(ExpressionPtr node);
  ExpressionPtr call(ExpressionPtr node);

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace harness::jinja
