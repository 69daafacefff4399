// Jinja expressions: the part of the parser inside a tag, with the precedence of Jinja 3.1.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "harness/text/jinja/ast.h"
#include "harness/text/jinja/token_cursor.h"

namespace harness::jinja {

class ExpressionParser : public TokenCursor {
 public:
  using TokenCursor::TokenCursor;

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
  // From `(` to `)`, which are passed.
  CallSyntax call_arguments();
  // An operand with the signs before it and what follows it: calls, subscripts and, `with_filter`, filters and tests.
  ExpressionPtr unary(bool with_filter = true);

 private:
  struct Depth;
  using Rule = ExpressionPtr (ExpressionParser::*)();
  ExpressionPtr make(ExpressionKind kind) const;
  // Adds a part (may be null) or a call's arguments to a node; fails where the tree becomes too tall.
  void adopt(Expression& node, ExpressionPtr part) const;
  void adopt_call(Expression& node, CallSyntax syntax) const;
  void grow(Expression& node, const Expression& part) const;
  ExpressionPtr binary(const std::string& name, ExpressionPtr left, ExpressionPtr right) const;
  // Operands of a rule joined by a word (or, and), by operators, or by commas between brackets.
  ExpressionPtr joined(ExpressionKind kind, std::string_view word, Rule operand);
  ExpressionPtr chain(std::initializer_list<std::string_view> operators, Rule operand);
  template <typename Item>
  ExpressionPtr display(ExpressionKind kind, std::string_view open, std::string_view close, Item&& item);
  ExpressionPtr conditional_expression();
  ExpressionPtr or_expression();
  ExpressionPtr and_expression();
  ExpressionPtr not_expression();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr factor() { return unary(); }
  ExpressionPtr primary();
  // Null where the current token is neither.
  ExpressionPtr name_or_literal();
  ExpressionPtr list();
  ExpressionPtr dict();

  // Behind an operand (postfix.cpp).
  ExpressionPtr postfix(ExpressionPtr node);
  ExpressionPtr subscript(ExpressionPtr node);
  ExpressionPtr filters_and_tests(ExpressionPtr node);
  ExpressionPtr filter(ExpressionPtr node);
  ExpressionPtr test(ExpressionPtr node);
  ExpressionPtr call(ExpressionPtr node);

  int depth_ = 0;
};

}  // namespace harness::jinja
