// Token model: what turns one word into ids, byte-pair encoding or a plain list of words.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/core/json.h"

namespace harness {

// Lets a map from strings be searched by a string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
// Token -> id.
using Vocabulary = std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>>;

class TokenModel {
 public:
  explicit TokenModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  virtual ~TokenModel() = default;
  // Adds the ids of one word to `ids`. Throws Error where the model has no unknown token and needs one.
  virtual void encode_word(std::string_view word, std::vector<int32_t>& ids) const = 0;
  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }
  // None: no such token.
  [[nodiscard]] std::optional<int32_t> id_of(std::string_view token) const {
    const auto found = vocabulary_.find(token);
    return found == vocabulary_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  Vocabulary vocabulary_;
};

// From the part "model" of a tokenizer.json. Throws Error naming what is missing or not supported.
std::unique_ptr<TokenModel> make_token_model(const Json& part);

}  // namespace harness
