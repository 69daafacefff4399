// Small edits of text: replace, split, trim, characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

// ASCII, whatever the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Every non-overlapping occurrence of `from`, left to right.
std::string replace_all(std::string text, std::string_view from, std::string_view to);
// The parts between occurrences of a non-empty separator; always at least one.
std::vector<std::string> split_text(std::string_view text, std::string_view separator);
// Without ASCII white space at either end.
std::string trim(std::string_view text);
// The letters A to Z in lower case, every other byte as it is.
std::string lower_ascii(std::string_view text);
bool contains(std::string_view text, std::string_view part);
// Non-overlapping occurrences of a non-empty part, left to right.
int64_t count_text(std::string_view text, std::string_view part);
// Bytes of the UTF-8 character that begins at `at`; 1 for a malformed one. `at` < text.size().
size_t character_size(std::string_view text, size_t at);
// Number of UTF-8 characters, a malformed byte counting as one.
int64_t character_count(std::string_view text);

}  // namespace harness
