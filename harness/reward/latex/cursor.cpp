#include "harness/reward/latex/cursor.h"

#include <cctype>
#include <optional>

#include "harness/core/text_edit.h"
#include "harness/reward/answer/boxed.h"

namespace harness {
namespace {}  // namespace

void LatexCursor::skip() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
}

bool LatexCursor::at_end() {
  skip();
  return at_ >= text_.size();
}

char LatexCursor::peek() { return at_end() ? '\0' : text_[at_]; }

bool LatexCursor::take(std::string_view token) {
  skip();
  if (!rest().starts_with(token)) return false;
  const size_t end = at_ + token.size();
  const bool is_command = token.size() > 1 && token[0] == '\\' && is_letter(token[1]);
  if (is_command && end < text_.size() && is_letter(text_[end])) return false;
  at_ = end;
  return true;
}

void LatexCursor::expect(std::string_view token) {
  if (!take(token)) throw NotMathematics{};
}

std::string LatexCursor::command() {
  if (peek() != '\\') return {};
  size_t end = at_ + 1;
  while (end < text_.size() && is_letter(text_[end])) ++end;
  if (end == at_ + 1 && end < text_.size()) ++end;
  return std::string(text_.substr(at_, end - at_));
}

std::string LatexCursor::raw_group() {
  if (peek() != '{') throw NotMathematics{};
  const std::optional<size_t> end = end_of_braces(text_, at_);
  if (!end) throw NotMathematics{};
  std::string content(text_.substr(at_ + 1, *end - at_ - 2));
  at_ = *end;
  return content;
}

}  // namespace harness
