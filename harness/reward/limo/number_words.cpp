#include "harness/reward/limo/number_words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <utility>
#include <vector>

#include "harness/core/text_edit.h"

namespace harness {
namespace {

constexpr int64_t kPoint = -2;

int64_t word_value(std::string_view word) {
  static constexpr auto kWords = std::to_array<std::pair<std::string_view, int64_t>>(
      {{"zero", 0},      {"one", 1},         {"two", 2},           {"three", 3},
       {"four", 4},      {"five", 5},        {"six", 6},           {"seven", 7},
       {"eight", 8},     {"nine", 9},        {"ten", 10},          {"eleven", 11},
       {"twelve", 12},   {"thirteen", 13},   {"fourteen", 14},     {"fifteen", 15},
       {"sixteen", 16},  {"seventeen", 17},  {"eighteen", 18},     {"nineteen", 19},
       {"twenty", 20},   {"thirty", 30},     {"forty", 40},        {"fifty", 50},
       {"sixty", 60},    {"seventy", 70},    {"eighty", 80},       {"ninety", 90},
       {"hundred", 100}, {"thousand", 1000}, {"million", 1000000}, {"billion", 1000000000},
       {"point", kPoint}});
  for (const auto& [name, value] : kWords) {
    if (name == word) return value;
  }
  return -1;
}

// Up to three words below a thousand; as the package: of two words a hundred multiplies, else they add.
std::optional<int64_t> below_thousand(const std::vector<int64_t>& words) {
  if (words.size() == 4) return words[0] * words[1] + words[2] + words[3];
  if (words.size() == 3) return words[0] * words[1] + words[2];
  if (words.size() == 2) return words[0] == 100 || words[1] == 100 ? words[0] * words[1] : words[0] + words[1];
  if (words.size() == 1) return words[0];
  return std::nullopt;
}

std::optional<int64_t> whole_value(const std::vector<int64_t>& words) {
  if (words.size() == 1) return words[0];
  int64_t total = 0;
  size_t begin = 0;
  for (const int64_t scale : {int64_t{1000000000}, int64_t{1000000}, int64_t{1000}}) {
    const auto at = std::find(words.begin(), words.end(), scale);
    if (at == words.end()) continue;
    const auto index = static_cast<size_t>(at - words.begin());
    if (index < begin) return std::nullopt;
    const std::optional<int64_t> count = below_thousand({words.begin() + static_cast<std::ptrdiff_t>(begin), at});
    if (!count && index != begin) return std::nullopt;
    total += (count ? *count : 1) * scale;
    begin = index + 1;
  }
  if (begin == words.size()) return total;
  const std::optional<int64_t> rest = below_thousand({words.begin() + static_cast<std::ptrdiff_t>(begin), words.end()});
  if (!rest) return std::nullopt;
  return total + *rest;
}

}  // namespace

std::optional<std::string> number_from_words(std::string_view text) {
  const std::string lower = lower_ascii(text);
  if (!lower.empty() && lower.find_first_not_of("0123456789") == std::string::npos && lower.size() <= 4300) {
    const size_t first = lower.find_first_not_of('0');
    return first == std::string::npos ? "0" : lower.substr(first);
  }
  std::vector<int64_t> words;
  for (const std::string& word : split_text(replace_all(lower, "-", " "), " ")) {
    const int64_t value = word_value(trim(word));
    if (value != -1) words.push_back(value);
  }
  if (words.empty()) return std::nullopt;
  for (const int64_t once : {int64_t{1000}, int64_t{1000000}, int64_t{1000000000}, kPoint}) {
    if (std::count(words.begin(), words.end(), once) > 1) return std::nullopt;
  }
  const auto point = std::find(words.begin(), words.end(), kPoint);
  const std::vector<int64_t> whole(words.begin(), point);
  std::optional<int64_t> value = 0;
  if (!whole.empty()) value = whole_value(whole);
  if (!value) return std::nullopt;
  std::string result = std::to_string(*value);
  if (point == words.end() || point + 1 == words.end()) {
    return point != words.end() && whole.empty() ? std::nullopt : std::optional(result);
  }
  result += '.';
  for (auto digit = point + 1; digit != words.end(); ++digit) {
    if (*digit > 9) return std::nullopt;
    result += static_cast<char>('0' + *digit);
  }
  return result;
}

}  // namespace harness
