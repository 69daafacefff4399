#include "harness/text/unicode/letter_case.h"

#include <utf8proc.h>

#include <algorithm>

#include "harness/core/utf8.h"
#include "harness/text/unicode/newer_characters.h"

namespace harness {

namespace {

constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kSigma = 0x3C3;
constexpr char32_t kFinalSigma = 0x3C2;

const SpecialCase* special_case_of(char32_t value) {
  const auto cases = special_cases();
  const auto found = std::lower_bound(cases.begin(), cases.end(), value,
                                      [](const SpecialCase& entry, char32_t point) { return entry.character < point; });
  return found == cases.end() || found->character != value ? nullptr : &*found;
}

void append_all(std::string& text, const char32_t (&characters)[3]) {
  for (const char32_t c : characters) {
    if (c != 0) append_utf8(text, c);
  }
}

void append_upper(std::string& text, char32_t value) {
  if (const SpecialCase* special = special_case_of(value)) return append_all(text, special->upper);
  append_utf8(text, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(value))));
}

void append_title(std::string& text, char32_t value) {
  if (const SpecialCase* special = special_case_of(value)) return append_all(text, special->title);
  append_utf8(text, static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(value))));
}

// Behind a cased character and before none, ignorable ones passed over (Unicode 15, table 3-17).
bool is_final_sigma(std::u32string_view points, size_t at) {
  const auto next_cased = [&](auto begin, auto end) {
    const auto found = std::find_if_not(begin, end, is_case_ignorable);
    return found != end && is_cased(*found);
  };
  const auto before = points.substr(0, at);
  const auto behind = points.substr(at + 1);
  return next_cased(before.rbegin(), before.rend()) && !next_cased(behind.begin(), behind.end());
}

void append_lower(std::string& text, std::u32string_view points, size_t at) {
  const char32_t value = points[at];
  if (value == kCapitalSigma) {
    append_utf8(text, is_final_sigma(points, at) ? kFinalSigma : kSigma);
  } else if (value == 0x130) {  // the one character whose lower case is two
    text += "i\xCC\x87";
  } else {
    append_utf8(text, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(value))));
  }
}

}  // namespace

bool is_cased(char32_t value) {
  static const CodePointSet others(other_cased_ranges());
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(value));
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT ||
         others.contains(value);
}

bool is_case_ignorable(char32_t value) {
  // Word_Break MidLetter, MidNumLet and Single_Quote.
  static constexpr std::u32string_view kInsideWords =
      U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(value))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return kInsideWords.find(value) != std::u32string_view::npos;
  }
}

std::string upper_text(std::string_view text) {
  std::string out;
  for (const char32_t c : to_code_points(text)) append_upper(out, c);
  return out;
}

std::string lower_text(std::string_view text) {
  const std::u32string points = to_code_points(text);
  std::string out;
  for (size_t i = 0; i < points.size(); ++i) append_lower(out, points, i);
  return out;
}

std::string title_text(std::string_view text) {
  const std::u32string points = to_code_points(text);
  std::string out;
  for (size_t i = 0; i < points.size(); ++i) {
    if (i > 0 && is_cased(points[i - 1])) {
      append_lower(out, points, i);
    } else {
      append_title(out, points[i]);
    }
  }
  return out;
}

std::string capitalize_text(std::string_view text) {
  const std::u32string points = to_code_points(text);
  std::string out;
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == 0) {
      append_title(out, points[i]);
    } else {
      append_lower(out, points, i);
    }
  }
  return out;
}

}  // namespace harness
