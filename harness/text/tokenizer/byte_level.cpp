#include "harness/text/tokenizer/byte_level.h"

#include "harness/core/utf8.h"

namespace harness {

ByteLevelAlphabet::ByteLevelAlphabet() {
  bytes_.fill(-1);
  char32_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const char32_t value = printable ? static_cast<char32_t>(byte) : next++;
    append_utf8(characters_[static_cast<size_t>(byte)], value);
    bytes_[value] = static_cast<int16_t>(byte);
  }
}

std::string ByteLevelAlphabet::to_characters(std::string_view bytes) const {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) text += characters_[static_cast<unsigned char>(byte)];
  return text;
}

std::string ByteLevelAlphabet::to_bytes(std::string_view characters) const {
  if (!is_valid_utf8(characters)) return std::string(characters);  // bytes already
  std::string bytes;
  bytes.reserve(characters.size());
  for (size_t at = 0; at < characters.size();) {
    const CodePoint point = code_point_at(characters, at);
    if (point.value >= bytes_.size() || bytes_[point.value] < 0) return std::string(characters);
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(bytes_[point.value])));
    at += static_cast<size_t>(point.length);
  }
  return bytes;
}

}  // namespace harness
