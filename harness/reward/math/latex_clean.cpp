#include "harness/reward/math/latex_clean.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/answer/boxed.h"
#include "harness/reward/math/answer_units.h"
#include "harness/reward/math/digit_groups.h"
#include "harness/reward/math/unicode_forms.h"

namespace harness {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array kCommands = std::to_array<Pair>({
    {"\\$", ""},
    {"$", ""},
    {"\\displaystyle", ""},
    {"\\textstyle", ""},
    {"\\limits", ""},
    {"\\left.", ""},
    {"\\right.", ""},
    {"\\left", ""},
    {"\\middle", ""},
    {"\\right", ""},
    {"\\bigl", ""},
    {"\\bigr", ""},
    {"\\Bigl", ""},
    {"\\Bigr", ""},
    {"\\big", ""},
    {"\\Big", ""},
    {"\\dfrac", "\\frac"},
    {"\\tfrac", "\\frac"},
    {"\\cfrac", "\\frac"},
    {"\\dbinom", "\\binom"},
    {"\\tbinom", "\\binom"},
    {"\\leqslant", "\\le "},
    {"\\geqslant", "\\ge "},
    {"\\leq", "\\le "},
    {"\\geq", "\\ge "},
    {"\\neq", "\\ne "},
    {"\\lt", "<"},
    {"\\gt", ">"},
    {"\\lbrace", "\\{"},
    {"\\rbrace", "\\}"},
    {"\\lvert", "|"},
    {"\\rvert", "|"},
    {"\\vert", "|"},
    {"\\lbrack", "["},
    {"\\rbrack", "]"},
    {"^{\\circ}", ""},
    {"^\\circ", ""},
    {"{\\circ}", ""},
    {"\\degree", ""},
    {"\\varnothing", "\\emptyset "},
    {"\\vee", "\\lor "},
    {"\\wedge", "\\land "},
    {"\\R", "\\mathbb{R}"},
    {"\\Reals", "\\mathbb{R}"},
    {"\\mathbb R", "\\mathbb{R}"},
    {"\\mathbb{R}^{+}", "(0,\\infty)"},
    {"\\mathbb{R}^+", "(0,\\infty)"},
    {"\\colon", ":"},
    {"{:}", ":"},
    {"\\percent", "%"},
    {"\\%", "%"},
    {"\\mathrm", "\\text"},
    {"\\mathbf", "\\text"},
    {"\\mathit", "\\text"},
    {"\\mathsf", "\\text"},
    {"\\textbf", "\\text"},
    {"\\textit", "\\text"},
    {"\\textrm", "\\text"},
    {"\\textnormal", "\\text"},
    {"\\mbox", "\\text"},
    {"\\hbox", "\\text"},
    {"\\operatorname*", "\\text"},
    {"\\operatorname", "\\text"},
    {"\\boldsymbol", "\\text"},
    {"\\bold", "\\text"},
    {"\\quad", " "},
    {"\\qquad", " "},
    {"\\text{ }", " "},
    {"~", " "},
});

// replace_all of a command: where `from` ends in a letter, no letter may follow.
std::string replace_command(const std::string& text, std::string_view from, std::string_view to) {
  std::string result;
  size_t begin = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + from.size())) {
    const size_t end = at + from.size();
    // \left and \right are followed by letters only in \leftarrow and the like.
    if (is_letter(from.back()) && end < text.size() && is_letter(text[end])) continue;
    result.append(text, begin, at - begin).append(to);
    begin = end;
  }
  return result.append(text, begin, std::string::npos);
}

// Thin spaces as spaces; `\!`, `\(` and `\)` gone.
std::string drop_spacing(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '\\') {
      result += "\\\\";
      ++i;
    } else if (next != '\0' && std::string_view(",;:! ()").find(next) != std::string_view::npos) {
      if (std::string_view("!()").find(next) == std::string_view::npos) result += ' ';
      ++i;
    } else {
      result += text[i] == '\n' || text[i] == '\t' ? ' ' : text[i];
    }
  }
  return result;
}

// Without `\text{...}` around words.
std::string unwrap_texts(const std::string& text) {
  constexpr std::string_view kText = "\\text{";
  std::string result;
  size_t begin = 0;
  for (size_t at = text.find(kText); at != std::string::npos; at = text.find(kText, begin)) {
    const std::optional<size_t> end = end_of_braces(text, at + kText.size() - 1);
    if (!end) break;
    result.append(text, begin, at - begin).append(" ");
    result.append(text, at + kText.size(), *end - 1 - at - kText.size()).append(" ");
    begin = *end;
  }
  return result.append(text, begin, std::string::npos);
}

// "all real numbers" as \mathbb{R}, "positive real numbers" as an interval; "... except 3" as a difference, "... greater than
// 3" and "... such that x > 3" as the condition alone; "no solution" as \emptyset.
std::string name_sets(const std::string& text) {
  static constexpr auto kSets = std::to_array<Pair>({{"non-negative real numbers", "[0,\\infty)"},
                                                     {"nonnegative real numbers", "[0,\\infty)"},
                                                     {"positive real numbers", "(0,\\infty)"},
                                                     {"negative real numbers", "(-\\infty,0)"},
                                                     {"real numbers", "\\mathbb{R}"},
                                                     {"real number", "\\mathbb{R}"},
                                                     {"real values", "\\mathbb{R}"},
                                                     {"reals", "\\mathbb{R}"},
                                                     {"real", "\\mathbb{R}"}});
  static constexpr auto kTails = std::to_array<Pair>({{"except for", "\\setminus "},
                                                      {"except", "\\setminus "},
                                                      {"other than", "\\setminus "},
                                                      {"excluding", "\\setminus "},
                                                      {"greater than or equal to", "\\ge "},
                                                      {"less than or equal to", "\\le "},
                                                      {"greater than", ">"},
                                                      {"less than", "<"},
                                                      {"such that", ""},
                                                      {"where", ""},
                                                      {"with", ""}});
  static constexpr auto kEmpty = std::to_array<std::string_view>(
      {"empty set", "the empty set", "no solution", "no solutions", "no real solution", "no real solutions"});
  if (!contains(text, "eal") && !contains(text, "mpty") && !contains(text, "o sol")) return text;
  const std::string plain = unwrap_texts(text);
  const std::string lower = lower_ascii(plain);
  if (std::find(kEmpty.begin(), kEmpty.end(), trim(lower)) != kEmpty.end()) return "\\emptyset ";
  for (auto [phrase, name] : kSets) {
    size_t begin = lower.find(phrase);
    if (begin == std::string::npos) continue;
    size_t end = begin + phrase.size();
    if ((begin > 0 && is_letter(lower[begin - 1])) || (end < lower.size() && is_letter(lower[end]))) continue;
    for (const std::string_view lead : {"all ", "any ", "every ", "set of ", "the "}) {
      if (std::string_view(lower).substr(0, begin).ends_with(lead)) begin -= lead.size();
    }
    const auto skip_spaces = [&] {
      while (end < lower.size() && lower[end] == ' ') ++end;
    };
    skip_spaces();
    const bool variable =
        end < lower.size() && is_letter(lower[end]) && (end + 1 == lower.size() || !is_letter(lower[end + 1]));
    if (phrase == "real" && !variable) return text;
    if (variable) ++end;
    skip_spaces();
    std::string_view sign;
    for (const auto& [words, spelling] : kTails) {
      if (lower.compare(end, words.size(), words) != 0) continue;
      end += words.size();
      sign = spelling;
      const size_t value = lower.find('=', end);  // "except x = 3"
      if (!spelling.starts_with("\\setminus")) {
        name = "";
      } else if (value != std::string::npos && trim(lower.substr(end, value - end)).size() == 1) {
        end = value + 1;
      }
      break;
    }
    return plain.substr(0, begin).append(name).append(sign).append(plain, end, std::string::npos);
  }
  return text;
}

bool has_inequality(const std::string& text) {
  for (const std::string_view sign : {"<", ">", "\\le ", "\\ge ", "\\ne ", "!=", "\\notin"}) {
    if (contains(text, sign)) return true;
  }
  return false;
}

// `\text{and}`, `\text{ or }`, " and ", " or " as a comma; between inequalities as `\land` and `\lor`.
std::string drop_conjunctions(std::string text) {
  if (!contains(text, "and") && !contains(text, "or") && !contains(text, "\\cup")) return text;
  const bool logical = has_inequality(text);
  for (const std::string_view word : {"and", "or"}) {
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      size_t begin = at;
      size_t end = at + word.size();
      if ((begin > 0 && is_letter(text[begin - 1])) || (end < text.size() && is_letter(text[end]))) continue;
      if (begin > 0 && text[begin - 1] == '\\') continue;
      while (begin > 0 && text[begin - 1] == ' ') --begin;
      while (end < text.size() && text[end] == ' ') ++end;
      constexpr std::string_view kText = "\\text{";
      const bool wrapped = begin >= kText.size() && text.compare(begin - kText.size(), kText.size(), kText) == 0 &&
                           end < text.size() && text[end] == '}';
      if (!wrapped && begin >= 1 && text[begin - 1] == '{') continue;
      if (wrapped) {
        begin -= kText.size();
        ++end;
      }
      while (begin > 0 && text[begin - 1] == ' ') --begin;
      if (begin > 0 && text[begin - 1] == ',') --begin;
      if (begin == 0 || end >= text.size()) continue;
      text.replace(begin, end - begin, !logical ? ", " : word == "and" ? "\\land " : "\\lor ");
      at = begin;
    }
  }
  // `x < 1 \cup x > 2` joins conditions.
  return logical && text.find_first_of("([{") == std::string::npos ? replace_all(std::move(text), "\\cup", "\\lor") : text;
}

std::string percent_words(std::string text) {
  for (const std::string_view word : {"\\text{percentage}", "\\text{ percent}", "\\text{percent}", " percentage", " percent"}) {
    text = replace_all(std::move(text), word, "%");
  }
  return text;
}

}  // namespace

std::string squeeze(std::string_view text) {
  std::string result;
  bool space = false;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      space = true;
      continue;
    }
    if (space && is_digit(c) && !result.empty() && is_digit(result.back())) result += ' ';
    result += c;
    space = false;
  }
  return result;
}

std::string without_quotes(std::string_view text) {
  using Quotes = std::pair<std::string_view, std::string_view>;
  for (const auto& [open, close] : std::to_array<Quotes>({{"``", "''"}, {"`", "'"}, {"\"", "\""}, {"'", "'"}, {"`", "`"}})) {
    if (text.size() <= open.size() + close.size() || !text.starts_with(open) || !text.ends_with(close)) continue;
    const std::string_view inner = text.substr(open.size(), text.size() - open.size() - close.size());
    if (inner.find_first_of("'\"`") == std::string_view::npos) return trim(inner);
  }
  return std::string(text);
}

std::string clean_answer(std::string_view answer, std::string_view unit) {
  std::string text(answer);
  bool ascii = true;
  for (const char c : text) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (!ascii) text = unicode_as_latex(text);
  text = drop_braced_commas(std::move(text));
  if (contains(text, "\\") || contains(text, "$") || contains(text, "~") || contains(text, "{:}")) {
    for (const Pair& pair : kCommands) {
      if (contains(text, pair.first)) text = replace_command(text, pair.first, pair.second);
    }
  }
  text = name_sets(percent_words(join_thousands(drop_spacing(text))));
  text = trim(drop_conjunctions(std::move(text)));
  const auto drop_punctuation = [&] {
    while (!text.empty() && std::string_view(".;,").find(text.back()) != std::string_view::npos) {
      text = trim(text.substr(0, text.size() - 1));
    }
  };
  drop_punctuation();
  text = without_quotes(text);
  drop_punctuation();
  if (!unit.empty()) {
    const std::string name = trim(unit);
    if (text.size() > name.size() && text.ends_with(name)) text = trim(text.substr(0, text.size() - name.size()));
  }
  return trim(cut_units(spell_day_halves(text)));
}

}  // namespace harness
