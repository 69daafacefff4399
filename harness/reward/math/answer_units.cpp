#include "harness/reward/math/answer_units.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/answer/boxed.h"
#include "harness/reward/math/unicode_forms.h"

namespace harness {
namespace {

constexpr std::array kUnitWords = std::to_array<std::string_view>({
    "cm",        "mm",       "km",     "m",          "nm",          "dm",          "ft",       "feet",       "foot",
    "in",        "inch",     "inches", "mile",       "miles",       "mi",          "yard",     "yards",      "meter",
    "meters",    "metre",    "metres", "kilometers", "centimeters", "millimeters", "kg",       "g",          "mg",
    "lb",        "lbs",      "pound",  "pounds",     "gram",        "grams",       "kilogram", "kilograms",  "ounce",
    "ounces",    "oz",       "ton",    "tons",       "s",           "sec",         "secs",     "second",     "seconds",
    "min",       "mins",     "minute", "minutes",    "h",           "hr",          "hrs",      "hour",       "hours",
    "day",       "days",     "week",   "weeks",      "month",       "months",      "year",     "years",      "degree",
    "degrees",   "deg",      "radian", "radians",    "rad",         "mph",         "kmph",     "kmh",        "dollar",
    "dollars",   "cent",     "cents",  "unit",       "units",       "square",      "sq",       "cubic",      "cube",
    "cubes",     "people",   "person", "student",    "students",    "men",         "man",      "women",      "woman",
    "boy",       "boys",     "girl",   "girls",      "apple",       "apples",      "coin",     "coins",      "book",
    "books",     "point",    "points", "way",        "ways",        "liter",       "liters",   "litre",      "litres",
    "gallon",    "gallons",  "acre",   "acres",      "hectare",     "hectares",    "per",      "number",     "numbers",
    "integer",   "integers", "digit",  "digits",     "side",        "sides",       "edge",     "edges",      "pages",
    "tile",      "tiles",    "toy",    "toys",       "solution",    "solutions",   "more",     "less",       "times",
    "Hz",        "J",        "W",      "V",          "N",           "K",           "Pa",       "mol",        "eV",
    "keV",       "MeV",      "GeV",    "ohm",        "ohms",        "Kelvin",      "kelvin",   "solar",      "masses",
    "erg",       "ergs",     "AU",     "pc",         "kpc",         "Mpc",         "arcsec",   "arcseconds", "Angstroms",
    "angstroms",
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

// What stands before counters and units of East Asian letters; half a unit more ("2个半") is none. "" : none.
std::string cut_east_asian_unit(std::string_view text) {
  const size_t tail = east_asian_tail(text);
  if (tail == 0) return {};
  std::string rest = trim(text.substr(0, text.size() - tail));
  if (contains(text.substr(text.size() - tail), "半") || !ends_complete(rest)) return {};
  return rest;
}

// Cuts one unit off the end: `\text{...}` with an exponent, or a known word after a digit, a brace or a space. "" : none.
std::string cut_unit(const std::string& text) {
  const size_t end = before_exponent(text);
  if (std::string rest = cut_east_asian_unit(std::string_view(text).substr(0, end)); !rest.empty()) return rest;
  if (end > 0 && text[end - 1] == '}') {
    const size_t begin = text.rfind("\\text{", end);
    const bool half = text.ends_with("\\text{am}") || text.ends_with("\\text{pm}");
    if (begin != std::string::npos && !half && end_of_braces(text, begin + 5) == end) {
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

struct DayHalf {
  bool afternoon = false;
  size_t end = 0;
};

// "PM", "p.m.", `\text{ am}` at `at`, spaces before it or not.
std::optional<DayHalf> day_half_at(std::string_view text, size_t at) {
  const auto skip_spaces = [&] {
    while (at < text.size() && text[at] == ' ') ++at;
  };
  const auto take = [&](std::string_view choices) {
    const bool found = at < text.size() && choices.find(text[at]) != std::string_view::npos;
    if (found) ++at;
    return found;
  };
  constexpr std::string_view kText = "\\text{";
  skip_spaces();
  const bool wrapped = text.substr(at).starts_with(kText);
  if (wrapped) at += kText.size();
  skip_spaces();
  const bool afternoon = take("pP");
  if (!afternoon && !take("aA")) return std::nullopt;
  take(".");
  if (!take("mM") || (at < text.size() && is_letter(text[at]))) return std::nullopt;
  take(".");
  if (wrapped) {
    skip_spaces();
    if (!take("}")) return std::nullopt;
  }
  return DayHalf{afternoon, at};
}

}  // namespace

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

std::string spell_day_halves(const std::string& text) {
  if (text.find_first_of("mM") == std::string::npos) return text;
  std::string result;
  for (size_t at = 0; at < text.size();) {
    result += text[at++];
    if (!is_digit(result.back())) continue;
    const std::optional<DayHalf> half = day_half_at(text, at);
    if (!half) continue;
    const size_t size = result.size();
    const bool behind_time = size >= 4 && is_digit(result[size - 2]) && result[size - 3] == ':';
    if (!behind_time && text.find_first_not_of("} .", half->end) != std::string::npos) continue;
    result += half->afternoon ? "\\text{pm}" : "\\text{am}";
    at = half->end;
  }
  return result;
}

}  // namespace harness
