// Byte-level alphabet: the 256 printable characters that stand for the 256 bytes (GPT-2).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace harness {

class ByteLevelAlphabet {
 public:
  ByteLevelAlphabet();
  // Every byte as its character.
  [[nodiscard]] std::string to_characters(std::string_view bytes) const;
  // Every character as its byte. A text with a character outside the alphabet stands for itself.
  [[nodiscard]] std::string to_bytes(std::string_view characters) const;

 private:
  std::array<std::string, 256> characters_;
  std::array<int16_t, 0x180> bytes_{};  // code point -> byte, -1 outside the alphabet
};

}  // namespace harness
