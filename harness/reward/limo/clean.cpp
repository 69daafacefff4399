#include "harness/reward/limo/clean.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "harness/core/text_edit.h"
#include "harness/core/utf8.h"
#include "harness/reward/answer/latex_edit.h"
#include "harness/reward/limo/number_words.h"

namespace harness {
namespace {

// Word characters as Python's `\w` has them, near enough beyond ASCII: letters and numbers of all scripts are words, signs,
// punctuation and mathematical operators are not.
bool is_word_at(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return std::isalnum(lead) != 0 || lead == '_';
  const size_t size = character_size(text, at);
  if (size == 2 && lead == 0xC2) {
    const auto next = static_cast<unsigned char>(text[at + 1]);
    return next == 0xAA || next == 0xB2 || next == 0xB3 || next == 0xB5 || next == 0xB9 || next == 0xBA ||
           (next >= 0xBC && next <= 0xBE);
  }
  if (size == 2 && lead == 0xC3) {
    const auto next = static_cast<unsigned char>(text[at + 1]);
    return next != 0x97 && next != 0xB7;
  }
  if (size == 3 && lead == 0xE2) {
    const auto next = static_cast<unsigned char>(text[at + 1]);
    return next == 0x85 || next == 0x84;  // number forms and letter-like signs
  }
  return size > 1;
}

// In the published order; `.` stands for any character.
constexpr std::array kUnits = std::to_array<std::string_view>({
    "east",    "degree",   "mph",      "kmph",   "ft",           "m sqaure", " m east", "sq m",    "deg",     "mile",
    "q .",     "monkey",   "prime",    "ratio",  "profit of rs", "rd",       "o",       "gm",      "p . m",   "lb",
    "tile",    "per",      "dm",       "lt",     "gain",         "ab",       "way",     "west",    "a .",     "b .",
    "c .",     "d .",      "e .",      "f .",    "g .",          "h .",      "t",       "a",       "h",       "no change",
    "men",     "soldier",  "pie",      "bc",     "excess",       "st",       "inches",  "noon",    "percent", "by",
    "gal",     "kmh",      "c",        "acre",   "rise",         "a . m",    "th",      "π r 2",   "sq",      "mark",
    "l",       "toy",      "coin",     "sq . m", "gallon",       "° f",      "profit",  "minw",    "yr",      "women",
    "feet",    "am",       "pm",       "hr",     "cu cm",        "square",   "v â € ™", "are",     "rupee",   "rounds",
    "cubic",   "cc",       "mtr",      "s",      "ohm",          "number",   "kmph",    "day",     "hour",    "minute",
    "min",     "second",   "man",      "woman",  "sec",          "cube",     "mt",      "sq inch", "mp",      "∏ cm ³",
    "hectare", "more",     "sec",      "unit",   "cu . m",       "cm 2",     "rs .",    "rs",      "kg",      "g",
    "month",   "km",       "m",        "cm",     "mm",           "apple",    "liter",   "loss",    "yard",    "pure",
    "year",    "increase", "decrease", "d",      "less",         "Surface",  "litre",   "pi sq m", "s .",     "metre",
    "meter",   "inch",
});

// The index after `unit` if it stands at `at`.
std::optional<size_t> match_unit(std::string_view text, size_t at, std::string_view unit, bool plural) {
  for (const char wanted : unit) {
    if (at >= text.size()) return std::nullopt;
    if (wanted == '.') {
      at += character_size(text, at);
    } else if (text[at++] != wanted) {
      return std::nullopt;
    }
  }
  if (plural && (at >= text.size() || text[at++] != 's')) return std::nullopt;
  return at;
}

// Removes each `unit` between a non-word character or the beginning and a non-word character or the end; both are consumed, as
// a regular expression consumes them, so that of two units with one space between them only the first goes.
std::string remove_unit(const std::string& text, std::string_view unit, bool plural) {
  if (text.find(unit.substr(0, unit.find('.'))) == std::string::npos) return text;
  std::string result;
  size_t at = 0;
  while (at <= text.size()) {
    const bool non_word = at < text.size() && !is_word_at(text, at);
    const size_t before = non_word ? character_size(text, at) : 0;
    std::optional<size_t> begin;
    std::optional<size_t> end;
    for (const size_t skipped : {size_t{0}, before}) {
      if (skipped == 0 && at != 0) continue;
      if (skipped == 0 && begin) continue;
      const std::optional<size_t> after = match_unit(text, at + skipped, unit, plural);
      if (!after || (*after < text.size() && is_word_at(text, *after))) continue;
      begin = at + skipped;
      end = after;
      break;
    }
    if (!begin) {
      if (at < text.size()) result += text[at];
      ++at;
      continue;
    }
    const size_t tail = *end < text.size() ? character_size(text, *end) : 0;
    result.append(text, at, *begin - at).append(text, *end, tail);
    if (*end + tail == at) break;
    at = *end + tail;
    if (at >= text.size()) break;
  }
  return result;
}

std::string remove_units(std::string text) {
  for (const bool plural : {false, true}) {
    for (const std::string_view unit : kUnits) {
      std::string rest = remove_unit(text, unit, plural);
      if (!rest.empty()) text = std::move(rest);
    }
  }
  return text;
}

// `command{shortest content}` -> `before` content `after`, or nothing of it where `keep` is false.
std::string unwrap(const std::string& text, std::string_view command, bool keep) {
  std::string result;
  size_t begin = 0;
  for (size_t at = text.find(command); at != std::string::npos; at = text.find(command, begin)) {
    const size_t end = text.find('}', at + command.size());
    if (end == std::string::npos) break;
    result.append(text, begin, at - begin);
    if (keep) result.append(text, at + command.size(), end - at - command.size());
    begin = end + 1;
  }
  return result.append(text, begin, std::string::npos);
}

// `\begin{array}{ll}` -> `\begin{pmatrix}`.
std::string array_to_matrix(std::string text) {
  constexpr std::string_view kBegin = "\\begin{array}{";
  for (size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
    const size_t end = text.find('}', at + kBegin.size());
    if (end == std::string::npos) break;
    text.replace(at, end + 1 - at, "\\begin{pmatrix}");
  }
  return replace_all(std::move(text), "\\end{array}", "\\end{pmatrix}");
}

std::string remove_months(std::string text) {
  for (const std::string_view month : {"january", "february", "march", "april", "may", "june", "july", "august", "september",
                                       "october", "november", "december"}) {
    std::string lower = lower_ascii(text);
    for (size_t at = lower.find(month); at != std::string::npos; at = lower.find(month, at)) {
      const size_t end = at + month.size();
      const bool bounded = (at == 0 || !is_word_at(text, at - 1)) && (end >= text.size() || !is_word_at(text, end));
      if (bounded) {
        text.erase(at, month.size());
        lower.erase(at, month.size());
      } else {
        ++at;
      }
    }
  }
  return text;
}

// "2.00x" -> "2x", "2.00" -> "2".
std::string remove_zero_fractions(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.' && i > 0 && is_digit(text[i - 1])) {
      size_t end = i + 1;
      while (end < text.size() && text[end] == '0') ++end;
      if (end == text.size() || !is_digit(text[end])) {
        i = end - 1;
        continue;
      }
    }
    result += text[i];
  }
  return result;
}

// `\sqrt3x` -> `\sqrt{3x}`: all word characters go under the root.
std::string brace_root_words(const std::string& text) {
  constexpr std::string_view kRoot = "\\sqrt";
  std::string result;
  size_t begin = 0;
  for (size_t at = text.find(kRoot); at != std::string::npos; at = text.find(kRoot, begin)) {
    size_t end = at + kRoot.size();
    while (end < text.size() && is_word_at(text, end)) end += character_size(text, end);
    result.append(text, begin, at + kRoot.size() - begin);
    if (end > at + kRoot.size()) result += "{" + text.substr(at + kRoot.size(), end - at - kRoot.size()) + "}";
    begin = end;
  }
  return result.append(text, begin, std::string::npos);
}

std::string replace_each(std::string text, std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  for (const auto& [from, to] : pairs) text = replace_all(std::move(text), from, to);
  return text;
}

}  // namespace

std::optional<std::string> limo_extract(std::string_view response) {
  const std::string text = replace_all(std::string(response), "\xD0\xBA\xD0\xB8", "");  // a stray syllable the checker removes
  const size_t at = text.rfind("boxed");
  if (at == std::string::npos) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(at + 5);
  std::string answer;
  if (!rest.empty() && rest[0] == '{') {
    int64_t open = 1;
    size_t end = 1;
    while (end < rest.size()) {
      if (rest[end] == '{') ++open;
      if (rest[end] == '}' && --open == 0) break;
      ++end;
    }
    answer = rest.substr(1, end - 1);
  } else {
    answer = trim(rest.substr(0, rest.find('$')));
  }
  std::string result;
  for (size_t i = 0; i < answer.size(); ++i) {
    if (answer[i] != '\n') {
      result += answer[i];
      continue;
    }
    while (i + 1 < answer.size() && std::isspace(static_cast<unsigned char>(answer[i + 1])) != 0) ++i;
  }
  if (!result.empty() && result.front() == ':') result.erase(0, 1);
  if (!result.empty() && result.back() == '.') result.pop_back();
  if (!result.empty() && result.back() == '/') result.pop_back();
  return result;
}

std::string limo_clean(std::string_view answer) {
  std::string text = replace_all(trim(answer), "\n", "");
  text.erase(text.find_last_not_of('.') + 1);
  text = array_to_matrix(replace_all(std::move(text), "\\!", ""));
  text = replace_each(std::move(text), {{"bmatrix", "pmatrix"},
                                        {"tfrac", "frac"},
                                        {"dfrac", "frac"},
                                        {"\\neq", "\\ne"},
                                        {"\\leq", "\\le"},
                                        {"\\geq", "\\ge"},
                                        {"\\left", ""},
                                        {"\\right", ""},
                                        {"\\{", "{"},
                                        {"\\}", "}"}});
  const size_t unit = text.find("\\text{");
  if (unit != std::string::npos && text.back() == '}') {
    std::string rest = trim(text.substr(0, unit));
    if (!rest.empty()) text = std::move(rest);
  }
  text = replace_each(remove_units(std::move(text)),
                      {{"^{\\circ}", ""}, {"^\\circ", ""}, {"\\$", ""}, {"$", ""}, {"\\(", ""}, {"\\)", ""}});
  if (const std::optional<std::string> number = number_from_words(text)) text = *number;
  text = unwrap(text, "\\text{", true);
  text = replace_each(std::move(text), {{"x=", ""},
                                        {"y=", ""},
                                        {"z=", ""},
                                        {"x\\in", ""},
                                        {"y\\in", ""},
                                        {"z\\in", ""},
                                        {"x\\to", ""},
                                        {"y\\to", ""},
                                        {"z\\to", ""},
                                        {"\\emptyset", "{}"},
                                        {"(-\\infty,\\infty)", "\\mathbb{R}"},
                                        {"\\%", ""},
                                        {"%", ""}});
  text = replace_each(remove_months(std::move(text)), {{" .", " 0."}, {"{.", "{0."}, {"infinity", "\\infty"}});
  if (!contains(text, "\\infty")) text = replace_all(std::move(text), "inf", "\\infty");
  text = unwrap(replace_each(std::move(text), {{"+\\inity", "\\infty"}, {"and", ""}, {"\\mathbf", ""}}), "\\mbox{", false);
  if (contains(text, "j") && !contains(text, "i")) text = replace_all(std::move(text), "j", "i");
  text = remove_zero_fractions(text);
  if (text.empty()) return text;
  if (text[0] == '.') text.insert(0, "0");
  const std::vector<std::string> sides = split_text(text, "=");
  if (sides.size() == 2 && character_count(sides[0]) <= 2) text = sides[1];
  const std::string rooted = replace_all(brace_root_words(text), " ", "");
  return slash_to_fraction(brace_fractions(rooted).value_or(rooted), true);
}

}  // namespace harness
