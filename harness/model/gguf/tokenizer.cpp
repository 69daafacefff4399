#include "harness/model/gguf/tokenizer.h"

#include <optional>
#include <unordered_map>
#include <vector>

#include "harness/core/error.h"

namespace harness {

namespace {

// Token types as numbered by llama.cpp.
constexpr int64_t kUnknown = 2;
constexpr int64_t kControl = 3;
constexpr int64_t kUserDefined = 4;

constexpr const char* kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

std::vector<std::string> text_list(const GgufFile& file, const std::string& key) {
  const Json& list = file.value(key);
  if (!list.is_array()) throw Error("{}: {}: expected a list of strings, found a {}", file.name(), key, list.type_name());
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const Json& entry : list) {
    if (!entry.is_string()) throw Error("{}: {}: expected strings, found a {}", file.name(), key, entry.type_name());
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

OrderedJson byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

OrderedJson sequence(const OrderedJson& first, const OrderedJson& second) {
  return {{"type", "Sequence"}, {"pretokenizers", OrderedJson::array({first, second})}};
}

OrderedJson split_by(const char* pattern) {
  const OrderedJson split = {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  return sequence(split, byte_level(false));
}

struct PreTokenizer {
  OrderedJson rule;
  OrderedJson normalizer = nullptr;
  bool ignore_merges = false;  // a whole word that is a token is taken as it is
  bool add_bos = false;        // where the file does not say
};

PreTokenizer pre_tokenizer(const GgufFile& file) {
  const std::string name = file.has("tokenizer.ggml.pre") ? file.text("tokenizer.ggml.pre") : "default";
  PreTokenizer found;
  if (name == "smollm") {
    found.rule = sequence({{"type", "Digits"}, {"individual_digits", true}}, byte_level(true));
  } else if (name == "gpt-2" || name == "gpt2" || name == "default") {
    found.rule = byte_level(true);
  } else if (name == "qwen2") {
    found.rule = split_by(kQwen2Pattern);
    found.normalizer = {{"type", "NFC"}};
  } else if (name == "llama-bpe" || name == "llama3" || name == "llama-v3") {
    found.rule = split_by(kLlama3Pattern);
    found.ignore_merges = true;
    found.add_bos = true;
  } else {
    throw Error(
        "{}: tokenizer.ggml.pre: pre-tokenizer \"{}\" is not supported, expected smollm, gpt-2, qwen2, llama-bpe or default",
        file.name(), name);
  }
  return found;
}

// The token types, or none where the file has no list.
std::vector<int64_t> token_types(const GgufFile& file, size_t tokens) {
  const std::string key = "tokenizer.ggml.token_type";
  std::vector<int64_t> types(tokens, 1);
  if (!file.has(key)) return types;
  const Json& list = file.value(key);
  if (!list.is_array() || list.size() != tokens) throw Error("{}: {}: expected {} numbers", file.name(), key, tokens);
  for (size_t i = 0; i < tokens; ++i) {
    if (!list[i].is_number_integer())
      throw Error("{}: {}: expected numbers, found a {}", file.name(), key, list[i].type_name());
    types[i] = list[i].get<int64_t>();
  }
  return types;
}

OrderedJson added_token(int64_t id, const std::string& content, bool special) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

// The tokens that the tokenizer recognises inside a text before anything else.
OrderedJson added_tokens(const std::vector<std::string>& tokens, const std::vector<int64_t>& types) {
  OrderedJson added = OrderedJson::array();
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool special = types[i] == kControl || types[i] == kUnknown;
    if (special || types[i] == kUserDefined) added.push_back(added_token(static_cast<int64_t>(i), tokens[i], special));
  }
  return added;
}

// Both halves of a merge and what they make must be tokens.
void check_merge(const GgufFile& file, const std::unordered_map<std::string, int64_t>& ids, const std::string& merge) {
  const size_t space = merge.find(' ', 1);
  const bool split = space != std::string::npos && space + 1 < merge.size();
  const std::string left = merge.substr(0, space);
  const std::string right = split ? merge.substr(space + 1) : "";
  if (!split || !ids.contains(left) || !ids.contains(right) || !ids.contains(left + right)) {
    throw Error("{}: tokenizer.ggml.merges: expected two tokens that make a third, found \"{}\"", file.name(), merge);
  }
}

std::optional<std::string> special_token(const GgufFile& file, const std::vector<std::string>& tokens,
                                         const std::string& role) {
  const std::string key = fmt::format("tokenizer.ggml.{}_token_id", role);
  if (!file.has(key)) return std::nullopt;
  const int64_t id = file.integer(key);
  if (id < 0 || id >= static_cast<int64_t>(tokens.size())) {
    throw Error("{}: {}: expected an id below {}, found {}", file.name(), key, tokens.size(), id);
  }
  return tokens[static_cast<size_t>(id)];
}

// Puts the beginning-of-text token before a text, where the file asks for it.
OrderedJson post_processor(const GgufFile& file, const std::vector<std::string>& tokens, bool add_by_default) {
  const auto bos = special_token(file, tokens, "bos");
  if (!bos || !file.boolean_or("tokenizer.ggml.add_bos_token", add_by_default)) return nullptr;
  const OrderedJson begin = {{"SpecialToken", {{"id", *bos}, {"type_id", 0}}}};
  const OrderedJson first = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const OrderedJson begin_second = {{"SpecialToken", {{"id", *bos}, {"type_id", 1}}}};
  const OrderedJson second = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  OrderedJson special = OrderedJson::object();
  special[*bos] = {{"id", *bos},
                   {"ids", OrderedJson::array({file.integer("tokenizer.ggml.bos_token_id")})},
                   {"tokens", OrderedJson::array({*bos})}};
  return {{"type", "TemplateProcessing"},
          {"single", OrderedJson::array({begin, first})},
          {"pair", OrderedJson::array({begin, first, begin_second, second})},
          {"special_tokens", special}};
}

}  // namespace

OrderedJson gguf_tokenizer_json(const GgufFile& file) {
  const std::string model = file.text("tokenizer.ggml.model");
  if (model != "gpt2") {
    throw Error("{}: tokenizer.ggml.model: tokenizer \"{}\" is not supported, expected \"gpt2\" (byte-level BPE)", file.name(),
                model);
  }
  const PreTokenizer pre = pre_tokenizer(file);
  const std::vector<std::string> tokens = text_list(file, "tokenizer.ggml.tokens");
  const std::vector<std::string> merges = text_list(file, "tokenizer.ggml.merges");
  std::unordered_map<std::string, int64_t> ids;
  OrderedJson::object_t vocabulary;  // filled by push_back: looking each key up would take time quadratic in their number
  vocabulary.reserve(tokens.size());
  for (const std::string& token : tokens) {
    const auto id = static_cast<int64_t>(ids.size());
    if (!ids.emplace(token, id).second) {
      throw Error("{}: tokenizer.ggml.tokens: expected each token once, found \"{}\" twice", file.name(), token);
    }
    vocabulary.push_back({token, id});
  }
  for (const std::string& merge : merges) check_merge(file, ids, merge);
  OrderedJson json;
  json["version"] = "1.0";
  json["truncation"] = nullptr;
  json["padding"] = nullptr;
  json["added_tokens"] = added_tokens(tokens, token_types(file, tokens.size()));
  json["normalizer"] = pre.normalizer;
  json["pre_tokenizer"] = pre.rule;
  json["post_processor"] = post_processor(file, tokens, pre.add_bos);
  json["decoder"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  json["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", pre.ignore_merges}};
  json["model"]["vocab"] = std::move(vocabulary);
  json["model"]["merges"] = merges;
  return json;
}

OrderedJson gguf_tokenizer_config(const GgufFile& file, int64_t max_positions) {
  const std::vector<std::string> tokens = text_list(file, "tokenizer.ggml.tokens");
  OrderedJson json;
  json["add_prefix_space"] = false;
  OrderedJson decoder = OrderedJson::object();
  for (OrderedJson& token : added_tokens(tokens, token_types(file, tokens.size()))) {
    const std::string id = fmt::format("{}", token["id"].get<int64_t>());
    token.erase("id");
    decoder[id] = token;
  }
  json["added_tokens_decoder"] = decoder;
  const std::pair<const char*, const char*> roles[] = {
      {"bos_token", "bos"}, {"eos_token", "eos"}, {"unk_token", "unknown"}, {"pad_token", "padding"}};
  for (const auto& [key, role] : roles) {
    if (const auto token = special_token(file, tokens, role)) json[key] = *token;
  }
  if (file.has("tokenizer.chat_template")) json["chat_template"] = file.text("tokenizer.chat_template");
  json["clean_up_tokenization_spaces"] = false;
  json["model_max_length"] = max_positions;
  json["tokenizer_class"] = "PreTrainedTokenizerFast";
  return json;
}

}  // namespace harness
