#include "harness/text/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "harness/core/error.h"
#include "harness/core/text_edit.h"
#include "harness/core/utf8.h"
#include "harness/text/unicode/properties.h"

namespace harness::jinja {

namespace {

// Line ends become \n and one at the very end goes.
std::string normalize_newlines(std::string_view source) {
  if (!is_valid_utf8(source)) throw Error("expected a template in UTF-8, found other bytes");
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text += source[i];
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalize_newlines(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) data();
    add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] bool sees(std::string_view text) const { return std::string_view(source_).substr(at_).starts_with(text); }
  [[noreturn]] void fail(const std::string& message) const { throw Error("line {}: {}", line_, message); }
  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  void advance(size_t to) {
    line_ += static_cast<int>(
        std::count(source_.begin() + static_cast<ptrdiff_t>(at_), source_.begin() + static_cast<ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  // Text up to the next tag, then the tag.
  void data() {
    size_t open = at_;
    for (;; ++open) {
      open = source_.find('{', open);
      if (open == std::string::npos || open + 1 >= source_.size()) {
        open = std::string::npos;
        break;
      }
      const char next = source_[open + 1];
      if (next == '{' || next == '%' || next == '#') break;
    }
    if (open == std::string::npos) {
      add(TokenKind::kData, source_.substr(at_));
      advance(source_.size());
      return;
    }
    const char kind = source_[open + 1];
    const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
    std::string text = trimmed_before(source_.substr(at_, open - at_), sign, kind != '{');
    if (!text.empty()) add(TokenKind::kData, std::move(text));
    advance(open + 2);
    if (sign == '-' || sign == '+') advance(at_ + 1);
    if (kind == '#') return comment();
    if (kind == '%' && raw()) return;
    add(kind == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin, "");
    inside(kind == '{');
  }

  // What is left of the text before a tag.
  [[nodiscard]] std::string trimmed_before(std::string text, char sign, bool may_lstrip) const {
    if (sign == '-') {
      std::u32string points = to_code_points(text);
      while (!points.empty() && is_python_space(points.back())) points.pop_back();
      return to_utf8(points);
    }
    if (sign == '+' || !may_lstrip) return text;
    const size_t newline = text.rfind('\n');
    const size_t begin = newline == std::string::npos ? 0 : newline + 1;
    if (begin == 0 && !line_starting_) return text;
    for (const char32_t c : to_code_points(std::string_view(text).substr(begin))) {
      if (!is_python_space(c)) return text;
    }
    text.resize(begin);
    return text;
  }

  // Behind the closing mark: `-` takes all white space, a block or comment takes one line end unless `+`.
  void close(char sign, bool takes_newline) {
    const size_t before = at_;
    if (sign == '-') {
      size_t to = at_;
      while (to < source_.size()) {
        const CodePoint point = code_point_at(source_, to);
        if (!is_python_space(point.value)) break;
        to += static_cast<size_t>(point.length);
      }
      advance(to);
    } else if (takes_newline && sign != '+' && sees("\n")) {
      advance(at_ + 1);
    }
    line_starting_ = at_ > before && source_[at_ - 1] == '\n';
  }

  void comment() {
    const size_t end = source_.find("#}", at_);
    if (end == std::string::npos) fail("expected the end of a comment, found none");
    const char sign = end > at_ ? source_[end - 1] : '\0';
    advance(end + 2);
    close(sign == '-' || sign == '+' ? sign : '\0', true);
  }

  size_t skip_spaces(size_t at) const {
    while (at < source_.size() && std::isspace(static_cast<unsigned char>(source_[at])) != 0) ++at;
    return at;
  }

  // {% raw %} ... {% endraw %}: its inside is data.
  bool raw() {
    size_t at = skip_spaces(at_);
    if (source_.compare(at, 3, "raw") != 0) return false;
    at = skip_spaces(at + 3);
    char sign = '\0';
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) sign = source_[at++];
    if (source_.compare(at, 2, "%}") != 0) return false;
    advance(at + 2);
    close(sign, false);
    for (size_t open = source_.find("{%", at_); open != std::string::npos; open = source_.find("{%", open + 1)) {
      size_t end = open + 2;
      char begin_sign = '\0';
      if (end < source_.size() && (source_[end] == '-' || source_[end] == '+')) begin_sign = source_[end++];
      end = skip_spaces(end);
      if (source_.compare(end, 6, "endraw") != 0) continue;
      end = skip_spaces(end + 6);
      char end_sign = '\0';
      if (end < source_.size() && (source_[end] == '-' || source_[end] == '+')) end_sign = source_[end++];
      if (source_.compare(end, 2, "%}") != 0) continue;
      std::string text = trimmed_before(source_.substr(at_, open - at_), begin_sign, true);
      if (!text.empty()) add(TokenKind::kData, std::move(text));
      advance(end + 2);
      close(end_sign, true);
      return true;
    }
    fail("expected {% endraw %}, found none");
  }

  // The tokens of one tag, its end included.
  void inside(bool variable) {
    std::string open;  // brackets that wait to be closed
    const std::string_view end = variable ? "}}" : "%}";
    while (true) {
      advance(skip_spaces(at_));
      if (at_ >= source_.size()) fail(fmt::format("expected {}, found the end of the template", end));
      if (open.empty()) {
        const bool signed_end =
            (sees("-") || (sees("+") && !variable)) && std::string_view(source_).substr(at_ + 1).starts_with(end);
        if (signed_end || sees(end)) {
          const char sign = signed_end ? source_[at_] : '\0';
          add(variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd, "");
          advance(at_ + end.size() + (signed_end ? 1 : 0));
          return close(sign, !variable);
        }
      }
      const char c = source_[at_];
      if (c == '"' || c == '\'') {
        string();
      } else if (is_digit(c)) {
        number();
      } else if (is_name_start(c)) {
        size_t to = at_;
        while (to < source_.size() && (is_name_start(source_[to]) || is_digit(source_[to]))) ++to;
        add(TokenKind::kName, source_.substr(at_, to - at_));
        advance(to);
      } else {
        operator_token(open);
      }
    }
  }

  void operator_token(std::string& open) {
    static constexpr std::array<std::string_view, 6> kTwo{"//", "**", "==", "!=", ">=", "<="};
    for (const std::string_view two : kTwo) {
      if (sees(two)) {
        add(TokenKind::kOperator, std::string(two));
        return advance(at_ + 2);
      }
    }
    const char c = source_[at_];
    if (std::string_view("+-*/%~[](){}>=<.:|,;").find(c) == std::string_view::npos) {
      fail(fmt::format("expected an expression, found the character '{}'", c));
    }
    if (c == '(' || c == '[' || c == '{') open += c;
    if (c == ')' || c == ']' || c == '}') {
      const char partner = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (open.empty() || open.back() != partner) fail(fmt::format("expected an expression, found '{}'", c));
      open.pop_back();
    }
    add(TokenKind::kOperator, std::string(1, c));
    advance(at_ + 1);
  }

  void number() {
    const auto digits = [&](size_t at) {
      while (at < source_.size() &&
             (is_digit(source_[at]) || (source_[at] == '_' && at + 1 < source_.size() && is_digit(source_[at + 1]))))
        ++at;
      return at;
    };
    const bool behind_dot = at_ > 0 && source_[at_ - 1] == '.';
    size_t to = digits(at_);
    bool is_float = false;
    if (!behind_dot) {
      if (to + 1 < source_.size() && source_[to] == '.' && is_digit(source_[to + 1])) {
        to = digits(to + 1);
        is_float = true;
      }
      if (to < source_.size() && (source_[to] == 'e' || source_[to] == 'E')) {
        size_t exponent = to + 1;
        if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) ++exponent;
        if (exponent < source_.size() && is_digit(source_[exponent])) {
          to = digits(exponent);
          is_float = true;
        }
      }
    }
    std::string text = source_.substr(at_, to - at_);
    std::erase(text, '_');
    add(is_float ? TokenKind::kFloat : TokenKind::kInteger, std::move(text));
    advance(to);
  }

  void string() {
    const char quote = source_[at_];
    std::string text;
    size_t at = at_ + 1;
    while (at < source_.size() && source_[at] != quote) {
      if (source_[at] == '\\' && at + 1 < source_.size()) {
        at = escape(at + 1, text);
      } else {
        text += source_[at++];
      }
    }
    if (at >= source_.size()) fail("expected the end of a string, found the end of the template");
    add(TokenKind::kString, std::move(text));
    advance(at + 1);
  }

  // Python's escapes; `at` is behind the backslash. Returns where the text goes on.
  size_t escape(size_t at, std::string& text) const {
    const char c = source_[at];
    static constexpr std::string_view kNames = "ntrabfv\\'\"";
    static constexpr std::string_view kValues = "\n\t\r\a\b\f\v\\'\"";
    if (const size_t i = kNames.find(c); i != std::string_view::npos) {
      text += kValues[i];
      return at + 1;
    }
    if (c == '\n') return at + 1;
    size_t count = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    int base = 16;
    size_t begin = at + 1;
    if (c >= '0' && c <= '7') {
      base = 8;
      begin = at;
      count = 1;
      while (count < 3 && begin + count < source_.size() && source_[begin + count] >= '0' && source_[begin + count] <= '7')
        ++count;
    }
    if (count == 0) {
      text += '\\';  // an unknown escape stays as it is
      return at;
    }
    const std::string digits = source_.substr(begin, count);
    const bool all = digits.size() == count &&
                     std::all_of(digits.begin(), digits.end(), [](unsigned char d) { return std::isxdigit(d) != 0; });
    const unsigned long value = all ? std::stoul(digits, nullptr, base) : 0x110000;
    if (value >= 0x110000 || (value >= 0xD800 && value < 0xE000))
      fail(fmt::format("expected a character code, found \\{}{}", c, digits));
    append_utf8(text, static_cast<char32_t>(value));
    return begin + count;
  }

  std::string source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace harness::jinja
