#include "harness/reward/math/latex_clean.h"

#include <array>
#include <cctype>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/answer/boxed.h"

namespace harness {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array kSpellings = std::to_array<Pair>({
    {"½", "\\frac{1}{2}"},
    {"⅓", "\\frac{1}{3}"},
    {"⅔", "\\frac{2}{3}"},
    {"¼", "\\frac{1}{4}"},
    {"¾", "\\frac{3}{4}"},
    {"⅕", "\\frac{1}{5}"},
    {"⅖", "\\frac{2}{5}"},
    {"⅗", "\\frac{3}{5}"},
    {"⅘", "\\frac{4}{5}"},
    {"⅙", "\\frac{1}{6}"},
    {"⅚", "\\frac{5}{6}"},
    {"⅛", "\\frac{1}{8}"},
    {"⅜", "\\frac{3}{8}"},
    {"⅝", "\\frac{5}{8}"},
    {"⅞", "\\frac{7}{8}"},
    {"π", "\\pi "},
    {"∞", "\\infty "},
    {"√", "\\sqrt "},
    {"×", "\\times "},
    {"·", "\\cdot "},
    {"⋅", "\\cdot "},
    {"÷", "\\div "},
    {"−", "-"},
    {"–", "-"},
    {"°", ""},
    {"≤", "\\le "},
    {"≥", "\\ge "},
    {"≠", "\\ne "},
    {"²", "^{2}"},
    {"³", "^{3}"},
    {"∪", "\\cup "},
    {"∩", "\\cap "},
    {"∅", "\\emptyset "},
    {"∈", "\\in "},
    {"θ", "\\theta "},
    {"α", "\\alpha "},
    {"β", "\\beta "},
    {"λ", "\\lambda "},
    {"ω", "\\omega "},
    {"φ", "\\phi "},
    {"±", "\\pm "},
    {"ℝ", "\\mathbb{R}"},
    {"\xC2\xA0", " "},
    {"€", ""},
    {"£", ""},
    {"¥", ""},
});

constexpr std::array kCommands = std::to_array<Pair>({
    {"\\$", ""},
    {"$", ""},
    {"\\displaystyle", ""},
    {"\\textstyle", ""},
    {"\\limits", ""},
    {"\\left.", ""},
    {"\\right.", ""},
    {"\\left", ""},
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
    {"~", " "},
});

// replace_all of a command: where `from` ends in a letter, no letter may follow.
std::string replace_command(const std::string& text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  if (at == std::string::npos) return text;
  std::string result;
  size_t begin = 0;
  for (; at != std::string::npos; at = text.find(from, at + from.size())) {
    const size_t end = at + from.size();
    // \left and \right are followed by letters only in \leftarrow and the like.
    if (is_letter(from.back()) && end < text.size() && is_letter(text[end])) continue;
    result.append(text, begin, at - begin).append(to);
    begin = end;
  }
  return result.append(text, begin, std::string::npos);
}

// Thin spaces: gone where they group digits, else a space.
std::string drop_spacing(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '\\') {
      result += "\\\\";
      ++i;
    } else if (text[i] == '\\' && i + 1 < text.size() &&
               std::string_view(",;:! ").find(text[i + 1]) != std::string_view::npos) {
      const bool grouping = !result.empty() && is_digit(result.back()) && i + 4 < text.size() && is_digit(text[i + 2]) &&
                            is_digit(text[i + 3]) && is_digit(text[i + 4]);
      if (!grouping && text[i + 1] != '!') result += ' ';
      ++i;
    } else {
      result += text[i] == '\n' || text[i] == '\t' ? ' ' : text[i];
    }
  }
  return result;
}

// `{,}` between digits, and a comma before a removed `\!`.
std::string drop_braced_commas(std::string text) {
  text = replace_all(std::move(text), ",\\!", "{,}");
  text = replace_all(std::move(text), "{,}\\!", "{,}");
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "{,}") == 0) {
      if (result.empty() || !is_digit(result.back())) result += ',';
      i += 2;
      while (i + 1 < text.size() && text[i + 1] == ' ') ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

// `\text{and}`, `\text{ or }`, " and ", " or " as a comma.
std::string drop_conjunctions(std::string text) {
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
      text.replace(begin, end - begin, ", ");
      at = begin;
    }
  }
  return text;
}

constexpr std::array kUnitWords = std::to_array<std::string_view>({
    "cm",         "mm",        "km",        "m",          "nm",          "dm",          "ft",       "feet",      "foot",
    "in",         "inch",      "inches",    "mile",       "miles",       "mi",          "yard",     "yards",     "meter",
    "meters",     "metre",     "metres",    "kilometers", "centimeters", "millimeters", "kg",       "g",         "mg",
    "lb",         "lbs",       "pound",     "pounds",     "gram",        "grams",       "kilogram", "kilograms", "ounce",
    "ounces",     "oz",        "ton",       "tons",       "s",           "sec",         "secs",     "second",    "seconds",
    "min",        "mins",      "minute",    "minutes",    "h",           "hr",          "hrs",      "hour",      "hours",
    "day",        "days",      "week",      "weeks",      "month",       "months",      "year",     "years",     "degree",
    "degrees",    "deg",       "radian",    "radians",    "rad",         "mph",         "kmph",     "kmh",       "dollar",
    "dollars",    "cent",      "cents",     "unit",       "units",       "square",      "sq",       "cubic",     "cube",
    "cubes",      "people",    "person",    "student",    "students",    "men",         "man",      "women",     "woman",
    "boy",        "boys",      "girl",      "girls",      "apple",       "apples",      "coin",     "coins",     "book",
    "books",      "point",     "points",    "way",        "ways",        "liter",       "liters",   "litre",     "litres",
    "gallon",     "gallons",   "acre",      "acres",      "hectare",     "hectares",    "per",      "number",    "numbers",
    "integer",    "integers",  "digit",     "digits",     "side",        "sides",       "edge",     "edges",     "pages",
    "tile",       "tiles",     "toy",       "toys",       "solution",    "solutions",   "more",     "less",      "times",
    "am",         "pm",        "Hz",        "J",          "W",           "V",           "N",        "K",         "Pa",
    "mol",        "eV",        "keV",       "MeV",        "GeV",         "ohm",         "ohms",     "Kelvin",    "kelvin",
    "solar",      "masses",    "erg",       "ergs",       "AU",          "pc",          "kpc",      "Mpc",       "arcsec",
    "arcseconds", "Angstroms", "angstroms",
});

bool is_unit_word(std::string_view word) {
  for (const std::string_view unit : kUnitWords) {
    if (word == unit) return true;
  }
  return false;
}

// The end of `text` without a final exponent of a unit, "^2", "^{-1}".
size_t before_exponent(std::string_view text) {
  const size_t caret = text.rfind('^');
  if (caret == std::string_view::npos || text.size() - caret > 6) return text.size();
  const std::string_view exponent = text.substr(caret + 1);
  return exponent.find_first_not_of("{}-0123456789") == std::string_view::npos ? caret : text.size();
}

// Where a unit may be cut: something complete stands before it.
bool ends_complete(std::string_view text) {
  return !text.empty() && std::string_view("=<>+-*/^_,(").find(text.back()) == std::string_view::npos && text.back() != '\\';
}

// Cuts one unit off the end: `\text{...}` with an exponent, or a known word after a digit, a brace or a space. "" : none.
std::string cut_unit(const std::string& text) {
  const size_t end = before_exponent(text);
  if (end > 0 && text[end - 1] == '}') {
    const size_t begin = text.rfind("\\text{", end);
    if (begin != std::string::npos && end_of_braces(text, begin + 5) == end) {
      const std::string rest = trim(text.substr(0, begin));
      if (ends_complete(rest)) return rest;
    }
    return {};
  }
  size_t begin = end;
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  if (begin == end || begin == 0 || !is_unit_word(std::string_view(text).substr(begin, end - begin))) return {};
  if (text[begin - 1] != ' ' && !(end - begin > 1 && (is_digit(text[begin - 1]) || text[begin - 1] == '}'))) return {};
  std::string rest = trim(text.substr(0, begin));
  if (!rest.empty() && rest.back() == '/') rest = trim(rest.substr(0, rest.size() - 1));
  if (!ends_complete(rest)) return {};
  const bool after_value = is_digit(rest.back()) || rest.back() == '}' || rest.back() == ')' || is_letter(rest.back());
  return after_value ? rest : std::string();
}

std::string cut_units(std::string text) {
  for (int i = 0; i < 8; ++i) {
    std::string rest = cut_unit(text);
    if (rest.empty() || rest.find_first_of("0123456789") == std::string::npos) {
      // Words alone are an answer, unless a symbol stands before them: `\pi \text{ cm}`.
      if (rest.empty() || rest.find('\\') == std::string::npos || contains(rest, "\\text")) return text;
    }
    text = std::move(rest);
  }
  return text;
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
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) result += c;
  }
  return result;
}

std::string clean_answer(std::string_view answer, std::string_view unit) {
  std::string text(answer);
  bool ascii = true;
  for (const char c : text) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (!ascii) {
    for (const Pair& pair : kSpellings) text = replace_all(std::move(text), pair.first, pair.second);
  }
  text = drop_braced_commas(std::move(text));
  if (contains(text, "\\") || contains(text, "$") || contains(text, "~")) {
    for (const Pair& pair : kCommands) text = replace_command(text, pair.first, pair.second);
  }
  text = percent_words(drop_spacing(text));
  text = trim(drop_conjunctions(std::move(text)));
  while (!text.empty() && (text.back() == '.' || text.back() == ';' || text.back() == ',')) {
    text = trim(text.substr(0, text.size() - 1));
  }
  if (!unit.empty()) {
    const std::string name = trim(unit);
    if (text.size() > name.size() && text.ends_with(name)) text = trim(text.substr(0, text.size() - name.size()));
  }
  return trim(cut_units(std::move(text)));
}

}  // namespace harness
