// What stands behind an operand: attributes, places, calls, filters and tests.
#include "harness/text/jinja/expression_parser.h"

namespace harness::jinja {

ExpressionPtr ExpressionParser::postfix(ExpressionPtr node) {
  while (true) {
    if (is_operator(".") || is_operator("[")) {
      node = subscript(std::move(node));
    } else if (is_operator("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr object) {
  auto node = make(ExpressionKind::kItem);
  if (skip_operator(".")) {
    if (current().kind == TokenKind::kInteger) {
      adopt(*node, std::move(object));
      adopt(*node, primary());
      return node;
    }
    node->kind = ExpressionKind::kAttribute;
    node->name = expect_name();
    adopt(*node, std::move(object));
    return node;
  }
  expect_operator("[");
  adopt(*node, std::move(object));
  ExpressionPtr first = is_operator(":") ? nullptr : expression();
  if (!skip_operator(":")) {
    if (is_operator(",")) fail("one index");
    adopt(*node, std::move(first));
    expect_operator("]");
    return node;
  }
  node->kind = ExpressionKind::kSlice;
  adopt(*node, std::move(first));
  adopt(*node, is_operator(":") || is_operator("]") ? nullptr : expression());
  adopt(*node, skip_operator(":") && !is_operator("]") ? expression() : nullptr);
  expect_operator("]");
  return node;
}

ExpressionPtr ExpressionParser::filters_and_tests(ExpressionPtr node) {
  while (true) {
    if (is_operator("|")) {
      next();
      node = filter(std::move(node));
    } else if (is_name("is")) {
      node = test(std::move(node));
    } else if (is_operator("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::filter_chain(ExpressionPtr input) {
  ExpressionPtr node = std::move(input);
  while (skip_operator("|")) node = filter(std::move(node));
  return node;
}

ExpressionPtr ExpressionParser::filter(ExpressionPtr input) {
  auto node = make(ExpressionKind::kFilter);
  node->name = expect_name();
  adopt(*node, std::move(input));
  if (is_operator("(")) adopt_call(*node, call_arguments());
  return node;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr input) {
  next();
  auto node = make(ExpressionKind::kTest);
  node->negated = skip_name("not");
  node->name = expect_name();
  adopt(*node, std::move(input));
  const TokenKind kind = current().kind;
  const bool literal = kind == TokenKind::kString || kind == TokenKind::kInteger || kind == TokenKind::kFloat ||
                       is_operator("[") || is_operator("{");
  const bool name = kind == TokenKind::kName && !is_name("else") && !is_name("or") && !is_name("and");
  if (is_operator("(")) {
    adopt_call(*node, call_arguments());
  } else if (literal || name) {
    if (is_name("is")) fail("no second test");
    CallSyntax syntax;
    syntax.positional.push_back(postfix(primary()));
    adopt_call(*node, std::move(syntax));
  }
  return node;
}

ExpressionPtr ExpressionParser::call(ExpressionPtr callee) {
  auto node = make(ExpressionKind::kCall);
  adopt(*node, std::move(callee));
  adopt_call(*node, call_arguments());
  return node;
}

CallSyntax ExpressionParser::call_arguments() {
  CallSyntax syntax;
  expect_operator("(");
  bool first = true;
  while (!is_operator(")")) {
    if (!first) expect_operator(",");
    first = false;
    if (is_operator(")")) break;
    if (skip_operator("*")) {
      syntax.spread_list = expression();
    } else if (skip_operator("**")) {
      syntax.spread_dict = expression();
    } else if (current().kind == TokenKind::kName && ahead().kind == TokenKind::kOperator && ahead().text == "=") {
      std::string name = next().text;
      next();
      syntax.named.emplace_back(std::move(name), expression());
    } else {
      if (!syntax.named.empty()) fail("a named argument");
      syntax.positional.push_back(expression());
    }
  }
  expect_operator(")");
  return syntax;
}

}  // namespace harness::jinja
