#include "harness/text/jinja/token_cursor.h"

#include "harness/core/error.h"

namespace harness::jinja {

namespace {

std::string shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the template";
    case TokenKind::kData:
      return "text";
    case TokenKind::kVariableBegin:
      return "{{";
    case TokenKind::kVariableEnd:
      return "}}";
    case TokenKind::kBlockBegin:
      return "{%";
    case TokenKind::kBlockEnd:
      return "%}";
    default:
      return "\"" + token.text + "\"";
  }
}

}  // namespace

bool TokenCursor::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  next();
  return true;
}

bool TokenCursor::skip_operator(std::string_view text) {
  if (!is_operator(text)) return false;
  next();
  return true;
}

void TokenCursor::expect_operator(std::string_view text) {
  if (!skip_operator(text)) fail(fmt::format("\"{}\"", text));
}

std::string TokenCursor::expect_name() {
  if (current().kind != TokenKind::kName) fail("a name");
  return next().text;
}

void TokenCursor::fail(const std::string& expected) const {
  throw Error("line {}: expected {}, found {}", current().line, expected, shown(current()));
}

}  // namespace harness::jinja
