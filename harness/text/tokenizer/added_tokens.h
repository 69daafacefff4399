// Added tokens: strings that become one token wherever they stand in a text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/core/json.h"

namespace harness {

struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool single_word = false;  // only where no letter or digit touches it
  bool lstrip = false;       // takes the spaces before it
  bool rstrip = false;       // takes the spaces behind it
  bool normalized = true;    // looked for in the normalised text
  bool special = false;
};

// A stretch of a text: one added token, or what lies between them.
struct Segment {
  std::optional<int32_t> id;
  std::string_view text;
};

// Finds the leftmost, then longest of its tokens.
class AddedTokenMatcher {
 public:
  // `pattern` is looked for and stands for `token`.
  void add(const std::string& pattern, const AddedToken& token);
  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  // Appends the segments of the text in their order, none of them empty; they point into it.
  void split(std::string_view text, std::vector<Segment>& segments) const;

 private:
  struct Node {
    std::vector<std::pair<unsigned char, uint32_t>> children;
    int32_t token = -1;  // index in tokens_
  };
  [[nodiscard]] uint32_t child(uint32_t node, unsigned char byte) const;
  // The longest token that begins at `at`: its index and length.
  [[nodiscard]] std::pair<int32_t, size_t> longest_at(std::string_view text, size_t at) const;

  std::vector<Node> nodes_;
  std::vector<AddedToken> tokens_;
};

// The part "added_tokens" of a tokenizer.json. Ids: as the vocabulary has them, else the next free ones.
std::vector<AddedToken> read_added_tokens(const Json& part);

}  // namespace harness
