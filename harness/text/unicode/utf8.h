// UTF-8: code points, lossy repair, and the character properties that tokenizers ask for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace harness {

// The code point that starts at `at` and its length in bytes; `text` is valid UTF-8 and `at` a boundary.
struct CodePoint {
  char32_t value = 0;
  int length = 1;
};
inline CodePoint code_point_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {((first & 0x1F) << 6) | (byte(1) & 0x3F), 2};
  if (first < 0xF0) return {((first & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F), 3};
  return {((first & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F), 4};
}

void append_utf8(std::string& text, char32_t value);
std::u32string to_code_points(std::string_view text);
std::string to_utf8(std::u32string_view text);

// How much of `bytes` is certain: the length of the longest prefix that does not end inside a character that further bytes
// could complete. Invalid bytes count as certain.
size_t complete_prefix(std::string_view bytes);
bool is_valid_utf8(std::string_view bytes);
// Each maximal ill-formed part becomes one U+FFFD (Unicode 15, section 3.9, "substitution of maximal subparts").
std::string to_valid_utf8(std::string_view bytes);

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
