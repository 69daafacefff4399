// Normaliser: rewrites a text before it is cut into words.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.h"

namespace harness {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // `text` is valid UTF-8. Throws Error where it would grow without bound (check_rewritten).
  [[nodiscard]] virtual std::string normalize(std::string text) const = 0;
};

// From the part "normalizer" of a tokenizer.json (null: none, a null pointer). Throws Error naming what is not supported.
std::unique_ptr<Normalizer> make_normalizer(const Json& part);

}  // namespace harness
