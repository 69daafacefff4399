#include "harness/core/utf8.h"

namespace harness {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What stands at the beginning of `bytes`: a character, or an ill-formed part, of so many bytes.
struct Part {
  size_t length = 1;
  bool valid = false;
};

Part first_part(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, true};
  size_t need = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) need = 1;
  if (first >= 0xE0 && first <= 0xEF) need = 2;
  if (first >= 0xF0 && first <= 0xF4) need = 3;
  if (need == 0) return {1, false};
  if (first == 0xE0) low = 0xA0;   // no overlong forms
  if (first == 0xED) high = 0x9F;  // no surrogates
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;  // nothing above U+10FFFF
  for (size_t i = 1; i <= need; ++i) {
    if (i == bytes.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {need + 1, true};
}

}  // namespace

void append_utf8(std::string& text, char32_t value) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | (value >> 6));
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | (value >> 18));
    put(0x80 | ((value >> 12) & 0x3F));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

std::u32string to_code_points(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    points.push_back(point.value);
    at += static_cast<size_t>(point.length);
  }
  return points;
}

std::string to_utf8(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char32_t value : text) append_utf8(bytes, value);
  return bytes;
}

bool is_valid_utf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const Part part = first_part(bytes.substr(at));
    if (!part.valid) return false;
    at += part.length;
  }
  return true;
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    const Part part = first_part(bytes.substr(at));
    text += part.valid ? bytes.substr(at, part.length) : kReplacement;
    at += part.length;
  }
  return text;
}

size_t utf8_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const Part part = first_part(bytes);
  return part.valid ? part.length : 0;
}

int64_t character_count(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); at += character_size(text, at)) ++count;
  return count;
}

}  // namespace harness
