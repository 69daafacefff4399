#include "harness/reward/answer/latex_edit.h"

#include <vector>

#include "harness/core/text_edit.h"
#include "harness/core/utf8.h"

namespace harness {

std::optional<std::string> brace_fractions(const std::string& text) {
  const std::vector<std::string> parts = split_text(text, "\\frac");
  std::string result = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (part.empty()) return std::nullopt;
    result += "\\frac";
    if (part[0] == '{') {
      result += part;
      continue;
    }
    const size_t first = character_size(part, 0);
    if (part.size() == first) return text;
    const size_t second = character_size(part, first);
    result += "{" + part.substr(0, first) + "}";
    if (part[first] == '{') {
      result += part.substr(first);
    } else {
      result += "{" + part.substr(first, second) + "}" + part.substr(first + second);
    }
  }
  return result;
}

bool is_plain_integer(std::string_view text) {
  constexpr size_t kMostDigits = 4300;
  if (text == "0") return true;
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (text.empty() || text.size() > kMostDigits || text[0] == '0') return false;
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string slash_to_fraction(const std::string& text, bool with_roots) {
  const std::vector<std::string> parts = split_text(text, "/");
  if (parts.size() != 2) return text;
  for (const std::string& part : parts) {
    if (!is_plain_integer(part) && !(with_roots && contains(part, "sqrt"))) return text;
  }
  return "\\frac{" + parts[0] + "}{" + parts[1] + "}";
}

}  // namespace harness
