// UTF-8: code points, what is valid, lossy repair.
#pragma once

#include <algorithm>
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

// `value` is at most U+10FFFF.
void append_utf8(std::string& text, char32_t value);
// `text` is valid UTF-8.
std::u32string to_code_points(std::string_view text);
std::string to_utf8(std::u32string_view text);

// Well-formed as Unicode's Table 3-7 has it: no overlong form, no surrogate, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view bytes);
// Each maximal ill-formed part becomes one U+FFFD (Unicode 15, section 3.9, "substitution of maximal subparts").
std::string to_valid_utf8(std::string_view bytes);
// Bytes of the well-formed character that begins `bytes`; 0 where none does.
size_t utf8_length(std::string_view bytes);
// Those of the character at `at` < text.size(); 1 for a malformed one.
inline size_t character_size(std::string_view text, size_t at) { return std::max<size_t>(1, utf8_length(text.substr(at))); }
// Number of characters, a malformed byte counting as one.
int64_t character_count(std::string_view text);

}  // namespace harness
