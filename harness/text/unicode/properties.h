// Properties of characters that tokenizers and templates ask for.
#pragma once

namespace harness {

// Unicode's White_Space.
bool is_white_space(char32_t value);
// General category N (decimal digits, letter numbers, other numbers), punctuation, marks: as the `tokenizers` package has them.
bool is_numeric(char32_t value);
bool is_punctuation(char32_t value);
// Python's str.isspace: White_Space and the four information separators.
inline bool is_python_space(char32_t value) { return is_white_space(value) || (value >= 0x1C && value <= 0x1F); }
// What Python's repr writes as an escape: other and separator characters but the space.
bool is_unprintable(char32_t value);
bool is_mark(char32_t value);

}  // namespace harness
