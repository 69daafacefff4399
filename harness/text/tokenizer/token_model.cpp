#include "harness/text/tokenizer/token_model.h"

#include "harness/text/tokenizer/bpe.h"
#include "harness/text/tokenizer/json_part.h"

namespace harness {

namespace {

Vocabulary read_vocabulary(const Json& part) {
  const auto found = part.find("vocab");
  if (found == part.end()) throw Error("expected the field \"vocab\", found none");
  if (!found->is_object()) throw Error("\"vocab\": expected an object, found {}", found->type_name());
  Vocabulary vocabulary;
  vocabulary.reserve(found->size());
  for (const auto& [token, id] : found->items()) {
    if (!id.is_number_integer() || id < 0 || id > std::numeric_limits<int32_t>::max()) {
      throw Error("\"vocab\": expected ids in [0, 2^31), found {} for \"{}\"", dump_line(id), token);
    }
    vocabulary.emplace(token, id.get<int32_t>());
  }
  return vocabulary;
}

class WordLevel : public TokenModel {
 public:
  WordLevel(Vocabulary vocabulary, std::string unknown) : TokenModel(std::move(vocabulary)), unknown_(std::move(unknown)) {}
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const override {
    std::optional<int32_t> id = id_of(word);
    if (!id) id = id_of(unknown_);
    if (!id)
      throw Error("expected a word of the vocabulary, found \"{}\", and the unknown token \"{}\" has no id", word, unknown_);
    ids.push_back(*id);
  }

 private:
  std::string unknown_;
};

std::vector<MergeRule> read_merges(const Json& part) {
  std::vector<MergeRule> merges;
  for (const Json& merge : array_field(part, "merges")) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      merges.push_back({merge[0].get<std::string>(), merge[1].get<std::string>()});
      continue;
    }
    const std::string text = merge.is_string() ? merge.get<std::string>() : std::string();
    const size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      throw Error("\"merges\": number {}: expected \"left right\" or [left, right], found {}", merges.size(), dump_line(merge));
    }
    merges.push_back({text.substr(0, space), text.substr(space + 1)});
  }
  return merges;
}

}  // namespace

std::unique_ptr<TokenModel> make_token_model(const Json& part) {
  if (!part.is_object()) throw Error("expected a JSON object, found {}", part.type_name());
  const std::string type = text_or(part, "type", part.contains("merges") ? "BPE" : "without a type");
  if (type == "WordLevel") return std::make_unique<WordLevel>(read_vocabulary(part), text_or(part, "unk_token", "<unk>"));
  if (type != "BPE") throw Error("{}: expected BPE or WordLevel, found a type that is not supported", type);
  if (!is_absent(part, "dropout") && number_field(part, "dropout") != 0) {
    throw Error("BPE: dropout: expected none, found {}", number_field(part, "dropout"));
  }
  BpeOptions options;
  options.unknown = text_or(part, "unk_token", "");
  options.prefix = text_or(part, "continuing_subword_prefix", "");
  options.suffix = text_or(part, "end_of_word_suffix", "");
  options.fuse_unknown = bool_or(part, "fuse_unk", false);
  options.byte_fallback = bool_or(part, "byte_fallback", false);
  options.ignore_merges = bool_or(part, "ignore_merges", false);
  return with_context("BPE", [&] { return std::make_unique<Bpe>(read_vocabulary(part), read_merges(part), options); });
}

}  // namespace harness
