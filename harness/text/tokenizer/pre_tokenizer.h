// Pre-tokenizer: cuts a normalised text into the words that the model reads one by one.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.h"

namespace harness {

// A part of a text. `at_start`: nothing of the text stands before it.
struct Piece {
  std::string_view text;
  bool at_start = false;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Replaces each piece by its parts, none of them empty. Texts that had to be written anew live in `arena`.
  virtual void apply(std::vector<Piece>& pieces, std::deque<std::string>& arena) const = 0;
};

struct PreTokenizerChain {
  std::unique_ptr<PreTokenizer> steps;  // null: the text stays whole
  // The last step maps bytes to the byte-level alphabet. It is left to the model, which does it once for each new word.
  bool bytes_mapped_last = false;
};

// From the part "pre_tokenizer" of a tokenizer.json (null: none). Throws Error naming what is not supported.
PreTokenizerChain make_pre_tokenizer(const Json& part);

}  // namespace harness
