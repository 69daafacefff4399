// Token decoder: joins the strings of tokens into text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/json.h"

namespace harness {

class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  // Rewrites the list of strings; the text is what they give set end to end.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
  // The bytes one token stands for where others stand before it.
  [[nodiscard]] virtual std::string bytes_of(std::string token) const = 0;
  // The text is nothing but each token's bytes, set end to end and read as lossy UTF-8.
  [[nodiscard]] virtual bool is_bytewise() const { return false; }
};

// From the part "decoder" of a tokenizer.json (null: tokens are joined by spaces). Throws Error naming what is not supported.
std::unique_ptr<TokenDecoder> make_token_decoder(const Json& part);

}  // namespace harness
