#include "harness/text/unicode/newer_characters.h"

#include <algorithm>

#include "harness/core/utf8.h"

namespace harness {

namespace {

constexpr char32_t kEnd = 0x110000;

const CodePointSet& newer_set() {
  static const std::vector<CodePointRange> ranges = [] {
    std::vector<CodePointRange> all;
    for (const NewerRange& range : newer_ranges()) all.push_back({range.first, range.last});
    return all;
  }();
  static const CodePointSet set(ranges);
  return set;
}

}  // namespace

CodePointSet::CodePointSet(std::span<const CodePointRange> ranges) : ranges_(ranges), blocks_(kEnd >> 8) {
  for (const CodePointRange& range : ranges) {
    for (char32_t block = range.first >> 8; block <= range.last >> 8; ++block) blocks_[block] = true;
  }
}

bool CodePointSet::contains(char32_t value) const {
  if (value >= kEnd || !blocks_[value >> 8]) return false;
  const auto next = std::upper_bound(ranges_.begin(), ranges_.end(), value,
                                     [](char32_t point, const CodePointRange& range) { return point < range.first; });
  return next != ranges_.begin() && value <= std::prev(next)->last;
}

char32_t known_character(char32_t value) {
  if (!newer_set().contains(value)) return value;
  const auto ranges = newer_ranges();
  const auto next = std::upper_bound(ranges.begin(), ranges.end(), value,
                                     [](char32_t point, const NewerRange& range) { return point < range.first; });
  return std::prev(next)->known;
}

std::string_view with_known_characters(std::string_view text, std::string& written) {
  const CodePointSet& newer = newer_set();
  size_t copied = 0;
  bool found = false;
  for (size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const CodePoint point = code_point_at(text, at);
    if (newer.contains(point.value)) {
      if (!found) written.clear();
      found = true;
      written.append(text, copied, at - copied);
      append_utf8(written, known_character(point.value));
      copied = at + static_cast<size_t>(point.length);
    }
    at += static_cast<size_t>(point.length);
  }
  if (!found) return text;
  return written.append(text, copied);
}

}  // namespace harness
