#include "harness/reward/limo/equality.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "harness/core/text_edit.h"
#include "harness/core/utf8.h"

namespace harness {
namespace {

constexpr int kDeepestList = 5;

// Python's math.isclose with its default relative 1e-9 and the checker's absolute 1e-4.
bool is_close(double a, double b) {
  if (a == b) return true;
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  return std::abs(a - b) <= std::max(1e-9 * std::max(std::abs(a), std::abs(b)), 1e-4);
}

// Decimal digits of other scripts, which Python counts as digits, as those of ASCII.
std::string with_ascii_digits(std::string_view text) {
  static constexpr std::u32string_view kZeros =
      U"\u0660\u06F0\u07C0\u0966\u09E6\u0A66\u0AE6\u0B66\u0BE6\u0C66\u0CE6\u0D66\u0DE6\u0E50\u0ED0\u0F20\u1040\u1090\u17E0"
      U"\u1810"
      U"\u1946\u19D0\u1A80\u1A90\u1B50\u1BB0\u1C40\u1C50\uA620\uA8D0\uA900\uA9D0\uA9F0\uAA50\uABF0\uFF10\U0001D7CE\U0001D7D8"
      U"\U0001D7E2\U0001D7EC\U0001D7F6";
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t size = utf8_length(text.substr(at));
    const char32_t c = size > 1 ? code_point_at(text, at).value : 0;
    const auto zero = std::find_if(kZeros.begin(), kZeros.end(), [&](char32_t first) { return c >= first && c < first + 10; });
    if (zero == kZeros.end()) {
      result.append(text, at, std::max<size_t>(size, 1));
    } else {
      result += static_cast<char>('0' + (c - *zero));
    }
    at += std::max<size_t>(size, 1);
  }
  return result;
}

// Python's float(): surrounding space, a sign, digits of any script, underscores between them, inf and nan.
std::optional<double> python_float(std::string_view text) {
  std::string number = trim(text);
  const bool ascii = std::all_of(number.begin(), number.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) number = with_ascii_digits(number);
  const bool negative = !number.empty() && number[0] == '-';
  if (!number.empty() && (number[0] == '-' || number[0] == '+')) number.erase(0, 1);
  const std::string lower = lower_ascii(number);
  double value = 0;
  if (lower == "inf" || lower == "infinity") {
    value = HUGE_VAL;
  } else if (lower == "nan") {
    value = NAN;
  } else {
    for (size_t i = 0; i < number.size(); ++i) {
      if (number[i] != '_') continue;
      const auto digit = [&](size_t at) {
        return at < number.size() && std::isdigit(static_cast<unsigned char>(number[at])) != 0;
      };
      if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
    }
    number = replace_all(std::move(number), "_", "");
    if (number.empty() || (number[0] != '.' && std::isdigit(static_cast<unsigned char>(number[0])) == 0)) return std::nullopt;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    if (read.ptr != number.data() + number.size()) return std::nullopt;
    if (read.ec == std::errc::result_out_of_range) {
      const size_t exponent = number.find_first_of("eE");
      const bool tiny = exponent != std::string::npos && exponent + 1 < number.size() && number[exponent + 1] == '-';
      value = tiny || number.starts_with("0.0") ? 0 : HUGE_VAL;
    } else if (read.ec != std::errc()) {
      return std::nullopt;
    }
  }
  return negative ? -value : value;
}

std::optional<double> read_digits(const std::string& text) {
  std::string number = replace_all(text, ",", "");
  if (const std::optional<double> value = python_float(number)) return value;
  if (!number.ends_with('%')) return std::nullopt;
  number.pop_back();
  if (number.ends_with('\\')) number.pop_back();
  const std::optional<double> value = python_float(number);
  if (!value) return std::nullopt;
  return *value / 100;
}

std::string strip_of(std::string_view text, std::string_view characters) {
  const size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(characters) - begin + 1));
}

// The last choice letter that stands alone in the text, whatever its case; else the text.
std::string clean_choice(const std::string& text) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; };
  for (size_t i = text.size(); i-- > 0;) {
    const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(text[i])));
    if (upper < 'A' || upper > 'E') continue;
    if ((i == 0 || !is_word(text[i - 1])) && (i + 1 == text.size() || !is_word(text[i + 1]))) return std::string(1, upper);
  }
  return strip_of(trim(text), ".");
}

// "(A) 5", "A. 5", "A) 5", "**A** 5", "A: 5": what follows the letter; the text of each pattern that matches.
std::vector<std::string> without_choice(const std::string& text) {
  std::vector<std::string> result;
  for (const char letter : std::string_view("ABCDE")) {
    for (const std::string& prefix : {std::string{'(', letter, ')'}, std::string{letter, '.'}, std::string{letter, ')'},
                                      std::string{'*', '*', letter, '*', '*'}, std::string{letter, ':'}}) {
      if (text.starts_with(prefix)) result.push_back(trim(std::string_view(text).substr(prefix.size())));
    }
  }
  return result;
}

std::vector<std::string> trimmed_parts(const std::string& text) {
  std::vector<std::string> parts = split_text(text, ",");
  for (std::string& part : parts) part = trim(part);
  return parts;
}

bool parts_equal(const std::vector<std::string>& found, const std::vector<std::string>& gold, StepBudget& budget, int depth) {
  if (found.size() != gold.size()) return false;
  for (size_t i = 0; i < found.size(); ++i) {
    if (!limo_equal(found[i], gold[i], budget, depth + 1)) return false;
  }
  return true;
}

// "{1, 2}" -> "\begin{pmatrix}1\2\end{pmatrix}", as published.
std::string braces_to_matrix(const std::string& text) {
  const size_t open = text.find('{');
  const size_t close = text.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  if (!contains(std::string_view(text).substr(open, close - open), ",")) return {};
  const std::string inner = strip_of(std::string_view(text).substr(open, close + 1 - open), "{}");
  return "\\begin{pmatrix}" + replace_all(inner, ",", "\\") + "\\end{pmatrix}";
}

bool equal_without_brackets(const std::string& found, const std::string& gold) {
  std::string a = found;
  std::string b = gold;
  if ((found.starts_with('[') && found.ends_with(']') && !gold.starts_with('(')) ||
      (found.starts_with('(') && found.ends_with(')') && !gold.starts_with('['))) {
    a = strip_of(a, "[]()");
    b = strip_of(b, "[]()");
  }
  const auto drop = [](std::string& text) {
    text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '}' || c == '(' || c == ')'; }),
               text.end());
  };
  drop(a);
  drop(b);
  return lower_ascii(a) == lower_ascii(b);
}

// Begins with a bracket and has a closing one with something between.
bool looks_bracketed(const std::string& text) {
  return !text.empty() && (text[0] == '(' || text[0] == '[') && text.find_last_of(")]") != std::string::npos &&
         text.find_last_of(")]") >= 2;
}

bool is_matrix(const std::string& text) {
  return (text.starts_with("\\begin{pmatrix}") || text.starts_with("\\begin{bmatrix}")) &&
         (text.ends_with("\\end{pmatrix}") || text.ends_with("\\end{bmatrix}"));
}

std::vector<std::string> matrix_lines(const std::string& text) {
  constexpr size_t kBegin = 15;  // \begin{pmatrix}
  constexpr size_t kEnd = 13;    // \end{pmatrix}
  std::vector<std::string> lines;
  if (text.size() < kBegin + kEnd) return lines;
  for (const std::string& line : split_text(text.substr(kBegin, text.size() - kBegin - kEnd), "\\\\")) {
    if (!trim(line).empty()) lines.push_back(trim(line));
  }
  return lines;
}

// "[\\begin{pmatrix}...\\end{pmatrix}]" without its brackets, which the second LaTeX library passes over.
std::string without_matrix_brackets(const std::string& text) {
  const bool bracketed = text.size() > 2 && ((text[0] == '[' && text.back() == ']') || (text[0] == '(' && text.back() == ')'));
  std::string inner = bracketed ? text.substr(1, text.size() - 2) : text;
  return is_matrix(inner) ? inner : text;
}

bool matrices_equal(const std::string& found, const std::string& gold, StepBudget& budget, int depth) {
  const std::vector<std::string> a = matrix_lines(found);
  const std::vector<std::string> b = matrix_lines(gold);
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!parts_equal(split_text(a[i], "&"), split_text(b[i], "&"), budget, depth)) return false;
  }
  return true;
}

// lhs - (rhs)
std::string as_difference(const std::string& equation) {
  const std::vector<std::string> sides = split_text(equation, "=");
  return trim(sides[0]) + " - (" + trim(sides[1]) + ")";
}

bool equations_equal(const std::string& found, const std::string& gold, StepBudget& budget, int depth) {
  const int64_t in_found = count_text(found, "=");
  const int64_t in_gold = count_text(gold, "=");
  const auto short_name = [](const std::string& text) { return character_count(trim(split_text(text, "=")[0])) <= 2; };
  if (in_found == 1 && in_gold == 1) {
    const std::string a = as_difference(found);
    const std::string b = as_difference(gold);
    return limo_symbolic_equal(a, b, budget) || limo_symbolic_equal("-(" + a + ")", b, budget);
  }
  if (in_found == 1 && in_gold == 0 && short_name(found)) {
    return limo_equal(split_text(found, "=")[1], gold, budget, depth + 1);
  }
  if (in_gold == 1 && in_found == 0 && short_name(gold)) {
    return limo_equal(found, split_text(gold, "=")[1], budget, depth + 1);
  }
  return false;
}

bool numbers_equal(double found, double gold) {
  return is_close(found, gold / 100) || is_close(found, gold) || is_close(found, gold * 100);
}

}  // namespace

bool limo_equal(const std::string& raw_found, const std::string& raw_gold, StepBudget& budget, int depth) {
  if (depth > kDeepestList) return false;
  budget.spend(static_cast<int64_t>(10 + (raw_found.size() + raw_gold.size()) / 8));
  if (lower_ascii(trim(raw_found)) == lower_ascii(trim(raw_gold))) return true;
  if (raw_gold.size() == 1 && raw_gold[0] >= 'A' && raw_gold[0] <= 'E' && clean_choice(raw_found) == raw_gold) return true;
  for (const std::string& rest : without_choice(raw_found)) {
    if (limo_equal(rest, raw_gold, budget, depth + 1)) return true;
  }
  if (contains(raw_found, ",") && contains(raw_gold, ",")) {
    std::vector<std::string> a = trimmed_parts(raw_found);
    std::vector<std::string> b = trimmed_parts(raw_gold);
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    if (parts_equal(a, b, budget, depth)) return true;
  }
  const std::optional<double> x = read_digits(raw_found);
  const std::optional<double> y = read_digits(raw_gold);
  if (x && y) return numbers_equal(*x, *y);
  if (raw_found.empty()) return false;
  const std::string found = trim(raw_found);
  std::string gold = trim(raw_gold);
  if (contains(found, "pmatrix") && !contains(gold, "pmatrix")) gold = braces_to_matrix(gold);
  if (equal_without_brackets(found, gold)) return true;
  if (looks_bracketed(found) && looks_bracketed(gold) &&
      parts_equal(split_text(found.substr(1, found.size() - 2), ","), split_text(gold.substr(1, gold.size() - 2), ","), budget,
                  depth)) {
    return true;
  }
  const std::string found_matrix = without_matrix_brackets(found);
  const std::string gold_matrix = without_matrix_brackets(gold);
  if (is_matrix(found_matrix) && is_matrix(gold_matrix) && matrices_equal(found_matrix, gold_matrix, budget, depth))
    return true;
  if (equations_equal(found, gold, budget, depth)) return true;
  return limo_symbolic_equal(found, gold, budget);
}

}  // namespace harness
