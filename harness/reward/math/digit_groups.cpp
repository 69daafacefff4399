#include "harness/reward/math/digit_groups.h"

#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/latex/number_forms.h"

namespace harness {
namespace {

// The groups behind a number's first digits, which end at `at`: each a `mark`, any spaces, and digits.
struct DigitGroups {
  std::string digits;
  size_t count = 0;
  bool of_three = true;  // all of exactly three digits
  bool spaced = false;   // behind a mark stands a space
  size_t end = 0;
};

DigitGroups digit_groups(std::string_view text, size_t at, std::string_view mark) {
  DigitGroups groups;
  groups.end = at;
  while (text.substr(groups.end).starts_with(mark)) {
    size_t begin = groups.end + mark.size();
    while (begin < text.size() && text[begin] == ' ') ++begin;
    const size_t size = digits_at(text, begin);
    if (size == 0) break;
    groups.digits += text.substr(begin, size);
    groups.of_three = groups.of_three && size == 3;
    groups.spaced = groups.spaced || begin > groups.end + mark.size();
    groups.end = begin + size;
    ++groups.count;
  }
  return groups;
}

// Whether groups of thousands may follow these digits.
bool begins_thousands(std::string_view digits) { return digits.size() <= 3 && digits[0] != '0'; }

}  // namespace

std::string drop_braced_commas(std::string text) {
  constexpr std::string_view kMark = "{,}";
  if (!contains(text, kMark) && !contains(text, ",\\!")) return text;
  text = replace_all(replace_all(std::move(text), ",\\!", kMark), "{,}\\!", kMark);
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const size_t size = digits_at(text, i);
    if (size == 0) {
      const bool mark = text.compare(i, kMark.size(), kMark) == 0;
      result += mark ? ',' : text[i];
      i += mark ? kMark.size() : 1;
      continue;
    }
    const std::string digits = text.substr(i, size);
    const char before = result.empty() ? ' ' : result.back();
    const bool begins = begins_thousands(digits) && before != '.' && (before != ',' || size < 3);
    const DigitGroups groups = digit_groups(text, i + size, kMark);
    result += digits;
    i += size;
    if (groups.count > 0 && groups.of_three && begins) {
      result += groups.digits;
      i = groups.end;
    } else if (groups.count == 1 && !groups.spaced && before != '.') {
      result += "." + groups.digits;
      i = groups.end;
    } else if (groups.count > 0 && !groups.spaced) {
      result += text.substr(i, groups.end - i);  // no number that anyone writes
      i = groups.end;
    }
  }
  return result;
}

std::string join_thousands(const std::string& text) {
  if (!contains(text, " ")) return text;
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const size_t size = digits_at(text, i);
    if (size == 0) {
      result += text[i++];
      continue;
    }
    const std::string digits = text.substr(i, size);
    const char before = result.empty() ? ' ' : result.back();
    const bool starts = before == '.' ? size == 3 : begins_thousands(digits) && before != ',' && before != '^' && before != '_';
    const DigitGroups groups = digit_groups(text, i + size, " ");
    result += digits;
    i += size;
    // `1 234/567` is a mixed number.
    const size_t next = text.find_first_not_of(' ', groups.end);
    const bool mixed = next != std::string::npos && text[next] == '/' && groups.digits[0] != '0';
    if (groups.count == 0 || !groups.of_three || !starts || mixed) continue;
    result += groups.digits;
    i = groups.end;
  }
  return result;
}

}  // namespace harness
