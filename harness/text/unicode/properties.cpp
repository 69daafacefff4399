#include "harness/text/unicode/properties.h"

#include <utf8proc.h>

#include "harness/text/unicode/newer_characters.h"

namespace harness {

bool is_white_space(char32_t value) {
  if (value < 0x80) return value == ' ' || (value >= 0x09 && value <= 0x0D);
  return value == 0x85 || value == 0xA0 || value == 0x1680 || (value >= 0x2000 && value <= 0x200A) || value == 0x2028 ||
         value == 0x2029 || value == 0x202F || value == 0x205F || value == 0x3000;
}

bool is_numeric(char32_t value) {
  static const CodePointSet numeric(numeric_ranges());
  return numeric.contains(value);
}

bool is_punctuation(char32_t value) {
  static const CodePointSet punctuation(punctuation_ranges());
  return punctuation.contains(value);
}

bool is_unprintable(char32_t value) {
  if (value == ' ') return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(value));
  return category == UTF8PROC_CATEGORY_CN || category >= UTF8PROC_CATEGORY_ZS;
}

bool is_mark(char32_t value) {
  static const CodePointSet marks(mark_ranges());
  return marks.contains(value);
}

}  // namespace harness
