// Unicode tables: what the `tokenizers` package (0.23.3) says of characters where our libraries say something else.
//
// Its regular expressions (Oniguruma) know Unicode 16.0, its digits and lower case (Rust's) Unicode 17.0; its punctuation,
// marks and normalisation forms stand at Unicode 8 to 12. PCRE2 10.42 knows 14.0 and utf8proc 2.8 knows 15.0. The tables are
// made by asking the package about every code point (testdata/make_unicode_tables.py).
#pragma once

#include <span>

namespace harness {

struct CodePointRange {
  char32_t first = 0;
  char32_t last = 0;
};
// Characters that came after Unicode 14 (or changed their category since), and one character of Unicode 14 that has the same
// general category and as many bytes.
struct NewerRange {
  char32_t first = 0;
  char32_t last = 0;
  char32_t known = 0;
};
struct LowerCase {
  char32_t upper = 0;
  char32_t lower = 0;
};
// A character of which one case is several characters; zeros fill up.
struct SpecialCase {
  char32_t character = 0;
  char32_t upper[3] = {};
  char32_t title[3] = {};
};

// All in ascending order.
std::span<const NewerRange> newer_ranges();
std::span<const CodePointRange> numeric_ranges();      // what Digits isolates
std::span<const CodePointRange> punctuation_ranges();  // what Punctuation isolates
std::span<const CodePointRange> mark_ranges();         // what StripAccents removes
std::span<const CodePointRange> whole_ranges();        // what no normalisation form takes apart, though newer Unicode does
std::span<const LowerCase> newer_lower_cases();        // pairs that came after Unicode 14
std::span<const SpecialCase> special_cases();          // Python's (testdata/make_case_tables.py)
std::span<const CodePointRange> other_cased_ranges();  // cased characters beside the categories Lu, Ll and Lt

}  // namespace harness
