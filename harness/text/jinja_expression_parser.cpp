#include "harness/text/jinja_expression_parser.h"

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

std::string shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd: return "the end of the template";
    case TokenKind::kData: return "text";
    case TokenKind::kVariableBegin: return "{{";
    case TokenKind::kVariableEnd: return "}}";
    case TokenKind::kBlockBegin: return "{%";
    case TokenKind::kBlockEnd: return "%}";
    default: return "\"" + token.text + "\"";
  }
}

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

bool ExpressionParser::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  next();
  return true;
}

bool ExpressionParser::skip_operator(std::string_view text) {
  if (!is_operator(text)) return false;
  next();
  return true;
}

void ExpressionParser::expect_operator(std::string_view text) {
  if (!skip_operator(text)) fail(fmt::format("\"{}\"", text));
}

std::string ExpressionParser::expect_name() {
  if (current().kind != TokenKind::kName) fail("a name");
  return next().text;
}

void ExpressionParser::fail(const std::string& expected) const {
  throw Error("line {}: expected {}, found {}", current().line, expected, shown(current()));
}

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

ExpressionPtr ExpressionParser::or_expression() {
  ExpressionPtr left = and_expression();
  while (is_name("or")) {
    auto node = make(ExpressionKind::kOr);
    next();
    adopt(*node, std::move(left));
    adopt(*node, and_expression());
    left = std::move(node);
  }
  return left;
}

ExpressionPtr ExpressionParser::and_expression() {
  ExpressionPtr left = not_expression();
  while (is_name("and")) {
    auto node = make(ExpressionKind::kAnd);
    next();
    adopt(*node, std::move(left));
    adopt(*node, not_expression());
    left = std::move(node);
  }
  return left;
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

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = concatenation();
  while (is_operator("+") || is_operator("-")) {
    const std::string name = next().text;
    left = binary(name, std::move(left), concatenation());
  }
  return left;
}

ExpressionPtr ExpressionParser::concatenation() {
  ExpressionPtr left = product();
  while (skip_operator("~")) left = binary("~", std::move(left), product());
  return left;
}

ExpressionPtr ExpressionParser::product() {
  ExpressionPtr left = power();
  while (is_operator("*") || is_operator("/") || is_operator("//") || is_operator("%")) {
    const std::string name = next().text;
    left = binary(name, std::move(left), power());
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr left = unary();
  while (skip_operator("**")) left = binary("**", std::move(left), unary());
  return left;
}

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
    default: break;
  }
  if (skip_operator("(")) {
    if (skip_operator(")")) {
      node->kind = ExpressionKind::kTuple;
      return node;
    }
    node = tuple();
    expect_operator(")");
    return node;
  }
  if (is_operator("[")) return list();
  if (is_operator("{")) return dict();
  fail("an expression");
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

ExpressionPtr ExpressionParser::list() {
  auto node = make(ExpressionKind::kList);
  expect_operator("[");
  while (!is_operator("]")) {
    if (!node->parts.empty()) expect_operator(",");
    if (is_operator("]")) break;
    adopt(*node, expression());
  }
  expect_operator("]");
  return node;
}

ExpressionPtr ExpressionParser::dict() {
  auto node = make(ExpressionKind::kDict);
  expect_operator("{");
  while (!is_operator("}")) {
    if (!node->parts.empty()) expect_operator(",");
    if (is_operator("}")) break;
    adopt(*node, expression());
    expect_operator(":");
    adopt(*node, expression());
  }
  expect_operator("}");
  return node;
}

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
  const bool literal = kind == TokenKind::kString || kind == TokenKind::kInteger || kind == TokenKind::kFloat || is_operator("[") ||
                       is_operator("{");
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
