#include "harness/text/tokenizer/character_tokenizer.h"

#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/core/utf8.h"

namespace harness {

std::string character_tokenizer_json(std::string_view characters, const std::vector<std::string>& special,
                                     const std::vector<std::string>& added) {
  if (!is_valid_utf8(characters)) throw Error("characters: expected UTF-8, found other bytes");
  OrderedJson vocabulary = OrderedJson::object();
  OrderedJson added_tokens = OrderedJson::array();
  const auto add = [&](const std::string& token) {
    if (token.empty() || vocabulary.contains(token)) {
      throw Error("character tokenizer: expected tokens that differ, found \"{}\" {}", token,
                  token.empty() ? "empty" : "twice");
    }
    const size_t id = vocabulary.size();
    vocabulary[token] = id;
    return id;
  };
  const auto add_whole = [&](const std::string& token, bool is_special) {
    added_tokens.push_back({{"id", add(token)},
                            {"content", token},
                            {"single_word", false},
                            {"lstrip", false},
                            {"rstrip", false},
                            {"normalized", false},
                            {"special", is_special}});
  };
  for (const std::string& token : special) add_whole(token, true);
  for (const std::string& token : added) add_whole(token, false);
  for (const char32_t value : to_code_points(characters)) add(to_utf8(std::u32string(1, value)));
  const OrderedJson document{{"version", "1.0"},
                             {"truncation", nullptr},
                             {"padding", nullptr},
                             {"added_tokens", added_tokens},
                             {"normalizer", nullptr},
                             {"pre_tokenizer", nullptr},
                             {"post_processor", nullptr},
                             {"decoder", {{"type", "Fuse"}}},
                             {"model",
                              {{"type", "BPE"},
                               {"dropout", nullptr},
                               {"unk_token", nullptr},
                               {"continuing_subword_prefix", nullptr},
                               {"end_of_word_suffix", nullptr},
                               {"fuse_unk", false},
                               {"byte_fallback", false},
                               {"ignore_merges", false},
                               {"vocab", vocabulary},
                               {"merges", OrderedJson::array()}}}};
  return document.dump(2) + "\n";
}

}  // namespace harness
