// Tokenizer: text <-> ids as a Hugging Face tokenizer.json says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

struct EncodeOptions {
  bool plain = false;        // strings of added tokens are read as ordinary text
  bool add_special = false;  // the post-processor adds its own (BOS and the like)
};

class Tokenizer {
 public:
  // Reads tokenizer.json. Throws Error naming the file and the part that is missing or not supported.
  static std::shared_ptr<const Tokenizer> from_file(const std::string& path);
  static std::shared_ptr<const Tokenizer> from_json_text(std::string_view json, const std::string& name);

  ~Tokenizer();
  // Bytes that are no UTF-8 are read as U+FFFD.
  [[nodiscard]] std::vector<int64_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  // Keeps special tokens unless asked; ids cut inside a character give U+FFFD as a lossy UTF-8 decoder does. Ids of no token
  // give nothing.
  [[nodiscard]] std::string decode(std::span<const int64_t> ids, bool skip_special = false) const;
  // The bytes one token stands for (special tokens: their content), as they appear inside a decoded text; "" for an id of none.
  [[nodiscard]] std::string token_bytes(int64_t id) const;
  [[nodiscard]] std::optional<int64_t> id_of(std::string_view token) const;
  // One more than the largest id.
  [[nodiscard]] int64_t size() const;
  // The decoded text is nothing but the bytes of the tokens, set end to end (byte-level tokenizers).
  [[nodiscard]] bool decodes_bytewise() const;
  // <0x00> .. <0xFF> of a tokenizer with byte fallback.
  [[nodiscard]] bool is_byte_token(int64_t id) const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

// Decodes ids as they arrive and never emits half a character.
class IncrementalDecoder {
 public:
  explicit IncrementalDecoder(std::shared_ptr<const Tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {}
  // The text that became certain with this id (may be empty).
  std::string push(int64_t id);
  // What is left at the end, incomplete characters as U+FFFD.
  std::string finish();

 private:
  std::string take_window();

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string pending_;       // bytewise: the beginning of a character
  std::vector<int64_t> ids_;  // otherwise: the window
  size_t settled_ = 0;        // so many of the window's ids are context whose text is out already
};

}  // namespace harness
