// Jinja lexer: a template's source as tokens, white space trimmed as transformers configures it (trim_blocks, lstrip_blocks).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harness::jinja {

enum class TokenKind {
  kData,
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // names, operators, data, digits; strings with their escapes undone
  int line = 1;
};

// Throws Error with the line of what cannot be read.
std::vector<Token> tokenize(std::string_view source);

}  // namespace harness::jinja
