#include "harness/reward/last_number_grader.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "harness/core/text_edit.h"

namespace harness {
namespace {

// Whether the comma at `at` separates thousands: a digit before it, exactly three after it.
bool is_thousands_comma(std::string_view text, size_t at) {
  if (at == 0 || !is_digit(text[at - 1]) || at + 3 >= text.size()) return false;
  for (size_t i = at + 1; i <= at + 3; ++i) {
    if (!is_digit(text[i])) return false;
  }
  return at + 4 >= text.size() || !is_digit(text[at + 4]);
}

// The bytes of the minus sign or dash that ends before `at`; 0 where none does.
size_t dash_before(std::string_view text, size_t at) {
  // Hyphen-minus, hyphens, figure dash, en dash, minus, small and full-width hyphen-minus; an em dash is punctuation.
  static constexpr auto kDashes =
      std::to_array<std::string_view>({"-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2212", "\uFE63", "\uFF0D"});
  for (const std::string_view dash : kDashes) {
    if (text.substr(0, at).ends_with(dash)) return dash.size();
  }
  return 0;
}

}  // namespace

std::optional<std::string> last_number(std::string_view text) {
  const size_t last = text.find_last_of("0123456789");
  if (last == std::string_view::npos) return std::nullopt;
  size_t begin = last;
  bool point = false;
  while (begin > 0) {
    const char before = text[begin - 1];
    if (is_digit(before)) {
      --begin;
    } else if (before == '.' && !point && is_digit(text[begin])) {
      point = true;
      --begin;
    } else if (before == ',' && is_digit(text[begin]) && is_thousands_comma(text, begin - 1)) {
      --begin;
    } else {
      break;
    }
  }
  if (text[begin] == '.' && (begin == 0 || !is_digit(text[begin - 1])) && begin > 0 && text[begin - 1] == '.') ++begin;
  if (const size_t sign = dash_before(text, begin); sign > 0) {
    const char before = sign < begin ? text[begin - sign - 1] : ' ';
    if (std::isalnum(static_cast<unsigned char>(before)) == 0 && before != ')' && before != ']' && before != '}') begin -= sign;
  }
  return std::string(text.substr(begin, last - begin + 1));
}

std::string plain_number(std::string_view number) {
  std::string text = replace_all(std::string(number), ",", "");
  const size_t sign = text.find_first_of(".0123456789");
  const bool negative = sign != std::string::npos && sign > 0 && dash_before(text, sign) == sign;
  if (negative) text.erase(0, sign);
  if (contains(text, ".")) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  text.erase(0, text.find_first_not_of('0'));
  if (text.empty() || text[0] == '.') text.insert(0, "0");
  return negative && text != "0" ? "-" + text : text;
}

Verdict LastNumberGrader::grade(std::string_view response, const Problem& problem) const {
  Verdict verdict;
  verdict.extracted = last_number(response);
  if (!verdict.extracted) {
    verdict.why = "no number in the response";
    return verdict;
  }
  verdict.normalised = plain_number(*verdict.extracted);
  const std::optional<std::string> gold = last_number(problem.answer);
  const bool equal = gold && plain_number(*gold) == *verdict.normalised;
  verdict.correctness = equal ? Correctness::right : Correctness::wrong;
  verdict.why = gold ? fmt::format("the last number {} {} the gold {}", *verdict.normalised, equal ? "equals" : "is not",
                                   plain_number(*gold))
                     : "the gold answer has no number";
  return verdict;
}

}  // namespace harness
