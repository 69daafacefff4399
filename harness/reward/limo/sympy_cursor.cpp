#include "harness/reward/limo/sympy_cursor.h"

#include <array>
#include <cctype>
#include <utility>

#include "harness/core/text_edit.h"

namespace harness {
namespace {}  // namespace

void SympyCursor::skip() {
  while (true) {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
    const size_t begin = at_;
    for (const std::string_view command : {"\\,", "\\:", "\\;", "\\!", "\\quad", "\\qquad", "\\left", "\\right", "\\*", "\\-",
                                           "\\.", "\\/", "\\\"", "\\(", "\\="}) {
      if (!text_.substr(at_).starts_with(command)) continue;
      const size_t end = at_ + command.size();
      if (is_letter(command.back()) && end < text_.size() && is_letter(text_[end])) continue;
      at_ = end;
      break;
    }
    if (at_ == begin) return;
  }
}

char SympyCursor::peek() {
  skip();
  if (at_ >= text_.size()) return '\0';
  const char c = text_[at_];
  if (c == '\\') {
    const bool known = at_ + 1 < text_.size() && (is_letter(text_[at_ + 1]) || text_[at_ + 1] == '{' || text_[at_ + 1] == '}');
    if (!known) throw SympyRaise{};
  } else if (!is_letter(c) && !is_digit(c) && std::string_view("+-*/(){}[]|_^:=<>!',.").find(c) == std::string_view::npos) {
    throw SympyRaise{};
  }
  return c;
}

bool SympyCursor::take(char c) {
  if (peek() != c) return false;
  ++at_;
  return true;
}

void SympyCursor::expect(char c) {
  if (!take(c)) throw SympyStop{};
}

std::string SympyCursor::command() {
  if (peek() != '\\') return {};
  size_t end = at_ + 1;
  while (end < text_.size() && is_letter(text_[end])) ++end;
  if (end == at_ + 1) ++end;
  return std::string(text_.substr(at_, end - at_));
}

bool SympyCursor::take_command(std::string_view name) {
  if (command() != name) return false;
  at_ += name.size();
  return true;
}

std::string SympyCursor::relation_operator() {
  const char c = peek();
  if (c == '=' || c == '<' || c == '>') {
    ++at_;
    return std::string(1, c);
  }
  using Sign = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Sign, 9> kSigns = {{{"\\neq", "!="},
                                                  {"\\leq", "<="},
                                                  {"\\le", "<="},
                                                  {"\\leqq", "<="},
                                                  {"\\leqslant", "<="},
                                                  {"\\geq", ">="},
                                                  {"\\ge", ">="},
                                                  {"\\geqq", ">="},
                                                  {"\\geqslant", ">="}}};
  for (const auto& [name, op] : kSigns) {
    if (take_command(name)) return std::string(op);
  }
  return {};
}

}  // namespace harness
