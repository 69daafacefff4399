#include "harness/reward/hendrycks.h"

#include <vector>

#include "harness/reward/text_edit.h"

namespace harness {
namespace {

// `\sqrt3` -> `\sqrt{3}`; none for a `\sqrt` that nothing follows.
std::optional<std::string> brace_roots(const std::string& text) {
  const std::vector<std::string> parts = split_text(text, "\\sqrt");
  std::string result = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (part.empty()) return std::nullopt;
    if (part[0] == '{') {
      result += "\\sqrt" + part;
    } else {
      const size_t size = character_size(part, 0);
      result += "\\sqrt{" + part.substr(0, size) + "}" + part.substr(size);
    }
  }
  return result;
}

// `\frac12` -> `\frac{1}{2}`, `\frac1{72}` -> `\frac{1}{72}`; unchanged as a whole where a `\frac` has one character after it;
// none where it has nothing.
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

// An integer written as the recipe's language prints it: no sign but `-`, no leading zero, at most 4300 digits (its limit for
// reading one).
bool is_plain_integer(std::string_view text) {
  constexpr size_t kMostDigits = 4300;
  if (text == "0") return true;
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (text.empty() || text.size() > kMostDigits || text[0] == '0') return false;
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string slash_to_fraction(const std::string& text) {
  const std::vector<std::string> parts = split_text(text, "/");
  if (parts.size() != 2 || !is_plain_integer(parts[0]) || !is_plain_integer(parts[1])) return text;
  return "\\frac{" + parts[0] + "}{" + parts[1] + "}";
}

}  // namespace

std::optional<std::string> hendrycks_normalise(std::string_view answer) {
  std::string text(answer);
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string_view, std::string_view>>{{"\n", ""},
                                                                                                     {"\\!", ""},
                                                                                                     {"\\\\", "\\"},
                                                                                                     {"tfrac", "frac"},
                                                                                                     {"dfrac", "frac"},
                                                                                                     {"\\left", ""},
                                                                                                     {"\\right", ""},
                                                                                                     {"^{\\circ}", ""},
                                                                                                     {"^\\circ", ""},
                                                                                                     {"\\$", ""}}) {
    text = replace_all(std::move(text), from, to);
  }
  const std::vector<std::string> around_unit = split_text(text, "\\text{ ");
  if (around_unit.size() > 2) return std::nullopt;
  text = around_unit[0];
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"\\\\%", ""}, {"\\%", ""}, {" .", " 0."}, {"{.", "{0."}}) {
    text = replace_all(std::move(text), from, to);
  }
  if (text.empty()) return text;
  if (text[0] == '.') text.insert(0, "0");
  const std::vector<std::string> sides = split_text(text, "=");
  if (sides.size() == 2 && character_count(sides[0]) <= 2) text = sides[1];
  const std::optional<std::string> rooted = brace_roots(text);
  if (!rooted) return std::nullopt;
  const std::optional<std::string> divided = brace_fractions(replace_all(*rooted, " ", ""));
  if (!divided) return std::nullopt;
  return slash_to_fraction(*divided == "0.5" ? "\\frac{1}{2}" : *divided);
}

}  // namespace harness
