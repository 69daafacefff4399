// Small edits of text: replace, split, trim.
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
// A to Z in lower case, other bytes as they are.
std::string lower_ascii(std::string_view text);
bool contains(std::string_view text, std::string_view part);
// Non-overlapping occurrences of a non-empty part, left to right.
int64_t count_text(std::string_view text, std::string_view part);

}  // namespace harness
