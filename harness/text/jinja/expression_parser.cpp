#include "harness/text/jinja/expression_parser.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "harness/core/error.h"

namespace harness::jinja {

namespace {

// Deeper nesting than any template has; keeps the recursion off the end of the stack.
constexpr int kDeepest = 200;
// The same for what nests without brackets, such as the operands of a long sum.
constexpr int kTallest = 400;

// As Python: too large is infinite, too small is zero.
double float_value(const std::string& text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc::result_out_of_range) value = std::strtod(text.c_str(), nullptr);
  return value;
}

}  // namespace

struct ExpressionParser::Depth {
  explicit Depth(ExpressionParser& p) : parser(p) {
    if (++parser.depth_ > kDeepest) parser.fail(fmt::format("at most {} nested expressions", kDeepest));
  }
  ~Depth() { --parser.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  ExpressionParser& parser;
};

ExpressionPtr ExpressionParser::make(ExpressionKind kind) const {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->line = current().line;
  return node;
}

void ExpressionParser::grow(Expression& node, const Expression& part) const {
  node.height = std::max(node.height, part.height + 1);
  if (node.height > kTallest) fail(fmt::format("an expression of at most {} levels", kTallest));
}

void ExpressionParser::adopt(Expression& node, ExpressionPtr part) const {
  if (part) grow(node, *part);
  node.parts.push_back(std::move(part));
}

void ExpressionParser::adopt_call(Expression& node, CallSyntax syntax) const {
  node.call = std::move(syntax);
  for (const auto& part : node.call.positional) grow(node, *part);
  for (const auto& [name, part] : node.call.named) grow(node, *part);
  if (node.call.spread_list) grow(node, *node.call.spread_list);
  if (node.call.spread_dict) grow(node, *node.call.spread_dict);
}

ExpressionPtr ExpressionParser::binary(const std::string& name, ExpressionPtr left, ExpressionPtr right) const {
  auto node = make(ExpressionKind::kBinary);
  node->line = left->line;
  node->name = name;
  adopt(*node, std::move(left));
  adopt(*node, std::move(right));
  return node;
}

ExpressionPtr ExpressionParser::expression(bool conditional) {
  const Depth depth(*this);
  return conditional ? conditional_expression() : or_expression();
}

ExpressionPtr ExpressionParser::conditional_expression() {
  ExpressionPtr node = or_expression();
  while (is_name("if")) {
    auto whole = make(ExpressionKind::kConditional);
    next();
    adopt(*whole, or_expression());
    adopt(*whole, std::move(node));
    adopt(*whole, skip_name("else") ? expression() : nullptr);
    node = std::move(whole);
  }
  return node;
}

ExpressionPtr ExpressionParser::joined(ExpressionKind kind, std::string_view word, Rule operand) {
  ExpressionPtr left = (this->*operand)();
  while (is_name(word)) {
    auto node = make(kind);
    next();
    adopt(*node, std::move(left));
    adopt(*node, (this->*operand)());
    left = std::move(node);
  }
  return left;
}

ExpressionPtr ExpressionParser::or_expression() { return joined(ExpressionKind::kOr, "or", &ExpressionParser::and_expression); }

ExpressionPtr ExpressionParser::and_expression() {
  return joined(ExpressionKind::kAnd, "and", &ExpressionParser::not_expression);
}

ExpressionPtr ExpressionParser::not_expression() {
  if (!is_name("not")) return comparison();
  const Depth depth(*this);
  auto node = make(ExpressionKind::kNot);
  next();
  adopt(*node, not_expression());
  return node;
}

ExpressionPtr ExpressionParser::comparison() {
  ExpressionPtr first = sum();
  auto node = make(ExpressionKind::kCompare);
  node->line = first->line;
  adopt(*node, std::move(first));
  while (true) {
    const bool symbol = is_operator("==") || is_operator("!=") || is_operator("<") || is_operator("<=") || is_operator(">") ||
                        is_operator(">=");
    if (symbol) {
      node->operators.push_back(next().text);
    } else if (skip_name("in")) {
      node->operators.emplace_back("in");
    } else if (is_name("not") && ahead().kind == TokenKind::kName && ahead().text == "in") {
      next();
      next();
      node->operators.emplace_back("not in");
    } else {
      break;
    }
    adopt(*node, sum());
  }
  return node->operators.empty() ? std::move(node->parts.front()) : std::move(node);
}

ExpressionPtr ExpressionParser::chain(std::initializer_list<std::string_view> operators, Rule operand) {
  ExpressionPtr left = (this->*operand)();
  while (std::any_of(operators.begin(), operators.end(), [&](std::string_view text) { return is_operator(text); })) {
    const std::string name = next().text;
    left = binary(name, std::move(left), (this->*operand)());
  }
  return left;
}

ExpressionPtr ExpressionParser::sum() { return chain({"+", "-"}, &ExpressionParser::concatenation); }

ExpressionPtr ExpressionParser::concatenation() { return chain({"~"}, &ExpressionParser::product); }

ExpressionPtr ExpressionParser::product() { return chain({"*", "/", "//", "%"}, &ExpressionParser::power); }

ExpressionPtr ExpressionParser::power() { return chain({"**"}, &ExpressionParser::factor); }

ExpressionPtr ExpressionParser::unary(bool with_filter) {
  const Depth depth(*this);
  ExpressionPtr node;
  if (is_operator("-") || is_operator("+")) {
    node = make(is_operator("-") ? ExpressionKind::kNegative : ExpressionKind::kPositive);
    next();
    adopt(*node, unary(false));
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filter ? filters_and_tests(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::primary() {
  if (ExpressionPtr node = name_or_literal()) return node;
  auto node = make(ExpressionKind::kTuple);
  if (skip_operator("(")) {
    if (skip_operator(")")) return node;
    node = tuple();
    expect_operator(")");
    return node;
  }
  if (is_operator("[")) return list();
  if (is_operator("{")) return dict();
  fail("an expression");
}

ExpressionPtr ExpressionParser::name_or_literal() {
  auto node = make(ExpressionKind::kConstant);
  const Token token = current();
  switch (token.kind) {
    case TokenKind::kName:
      next();
      if (token.text == "true" || token.text == "True") {
        node->constant = true;
      } else if (token.text == "false" || token.text == "False") {
        node->constant = false;
      } else if (token.text != "none" && token.text != "None") {
        node->kind = ExpressionKind::kName;
        node->name = token.text;
      }
      return node;
    case TokenKind::kString: {
      std::string text;
      while (current().kind == TokenKind::kString) text += next().text;
      node->constant = std::move(text);
      return node;
    }
    case TokenKind::kInteger: {
      int64_t value = 0;
      const auto read = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      if (read.ec != std::errc()) fail("an integer of at most 64 bits");
      next();
      node->constant = value;
      return node;
    }
    case TokenKind::kFloat:
      next();
      node->constant = float_value(token.text);
      return node;
    default:
      return nullptr;
  }
}

ExpressionPtr ExpressionParser::tuple(bool conditional, std::string_view stop_name) {
  ExpressionPtr first = expression(conditional);
  if (!is_operator(",")) return first;
  auto node = make(ExpressionKind::kTuple);
  adopt(*node, std::move(first));
  while (skip_operator(",")) {
    const bool end = current().kind == TokenKind::kBlockEnd || current().kind == TokenKind::kVariableEnd || is_operator(")") ||
                     (!stop_name.empty() && is_name(stop_name));
    if (end) break;
    adopt(*node, expression(conditional));
  }
  return node;
}

template <typename Item>
ExpressionPtr ExpressionParser::display(ExpressionKind kind, std::string_view open, std::string_view close, Item&& item) {
  auto node = make(kind);
  expect_operator(open);
  while (!is_operator(close)) {
    if (!node->parts.empty()) expect_operator(",");
    if (is_operator(close)) break;
    item(*node);
  }
  expect_operator(close);
  return node;
}

ExpressionPtr ExpressionParser::list() {
  return display(ExpressionKind::kList, "[", "]", [this](Expression& node) { adopt(node, expression()); });
}

ExpressionPtr ExpressionParser::dict() {
  return display(ExpressionKind::kDict, "{", "}", [this](Expression& node) {
    adopt(node, expression());
    expect_operator(":");
    adopt(node, expression());
  });
}

ExpressionPtr ExpressionParser::target(bool with_attribute) {
  const auto one = [&]() -> ExpressionPtr {
    if (skip_operator("(")) {
      ExpressionPtr inner = target(false);
      expect_operator(")");
      return inner;
    }
    auto node = make(ExpressionKind::kName);
    node->name = expect_name();
    return node;
  };
  const Depth depth(*this);
  ExpressionPtr first = one();
  if (with_attribute && skip_operator(".")) {
    auto node = make(ExpressionKind::kAttribute);
    node->name = expect_name();
    adopt(*node, std::move(first));
    return node;
  }
  if (!is_operator(",")) return first;
  auto node = make(ExpressionKind::kTuple);
  adopt(*node, std::move(first));
  while (skip_operator(",")) {
    if (is_name("in") || is_operator("=")) break;
    adopt(*node, one());
  }
  return node;
}

}  // namespace harness::jinja
