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
  // The same from its text; `name` stands for the path in errors.
  static std::shared_ptr<const Tokenizer> from_json_text(std::string_view json, const std::string& name);

  ~Tokenizer();
  // Bytes that are no UTF-8 are read as U+FFFD.
  [[nodiscard]] std::vector<int64_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  // Keeps special tokens unless asked; ids cut inside a character give U+FFFD as a lossy UTF-8 decoder does. Ids of no token
  // give nothing.
  [[nodiscard]] std::string decode(std::span<const int64_t> ids, bool skip_special = false) const;
  // The bytes one token stands for (special tokens: their content), as they appear inside a decoded text; "" for an id of none.
  [[nodiscard]] std::string token_bytes(int64_t id) const;
  // Of a token as the vocabulary spells it, or an added one by its content; none: no such token.
  [[nodiscard]] std::optional<int64_t> id_of(std::string_view token) const;
  // One more than the largest id.
  [[nodiscard]] int64_t size() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace harness
