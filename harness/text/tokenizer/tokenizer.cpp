#include "harness/text/tokenizer/tokenizer.h"

#include <deque>
#include <limits>
#include <unordered_set>

#include "harness/core/files.h"
#include "harness/core/utf8.h"
#include "harness/text/tokenizer/added_tokens.h"
#include "harness/text/tokenizer/byte_level.h"
#include "harness/text/tokenizer/json_part.h"
#include "harness/text/tokenizer/normalizer.h"
#include "harness/text/tokenizer/post_processor.h"
#include "harness/text/tokenizer/pre_tokenizer.h"
#include "harness/text/tokenizer/token_decoder.h"
#include "harness/text/tokenizer/token_model.h"
#include "harness/text/tokenizer/word_cache.h"

namespace harness {

namespace {

constexpr int64_t kLargestId = std::numeric_limits<int32_t>::max();

// What one id stands for.
struct TokenEntry {
  std::string token;  // as the vocabulary has it
  std::string bytes;
  bool known = false;
  bool special = false;
};

class JsonTokenizer : public Tokenizer {
 public:
  explicit JsonTokenizer(const Json& document);

  [[nodiscard]] std::vector<int64_t> encode(std::string_view text, const EncodeOptions& options) const override;
  [[nodiscard]] std::string decode(std::span<const int64_t> ids, bool skip_special) const override;
  [[nodiscard]] std::string token_bytes(int64_t id) const override { return known(id) ? entry(id).bytes : std::string(); }
  [[nodiscard]] std::optional<int64_t> id_of(std::string_view token) const override;
  [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(entries_.size()); }
  [[nodiscard]] bool decodes_bytewise() const override { return decoder_->is_bytewise(); }
  [[nodiscard]] bool is_byte_token(int64_t id) const override { return known(id) && byte_of_token(entry(id).token) >= 0; }

 private:
  void add_tokens(std::vector<AddedToken> tokens);
  void build_entries();
  [[nodiscard]] bool known(int64_t id) const {
    return id >= 0 && id < static_cast<int64_t>(entries_.size()) && entry(id).known;
  }
  [[nodiscard]] const TokenEntry& entry(int64_t id) const { return entries_[static_cast<size_t>(id)]; }
  // Cuts normalised text into words and adds their ids.
  void encode_words(std::string_view text, bool at_start, WordCache& cache, std::vector<int64_t>& ids) const;
  void encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& fresh, std::vector<int64_t>& ids) const;

  std::unique_ptr<Normalizer> normalizer_;
  PreTokenizerChain pre_tokenizer_;
  std::unique_ptr<TokenModel> model_;
  std::unique_ptr<TokenDecoder> decoder_;
  PostProcessor post_processor_;
  ByteLevelAlphabet alphabet_;
  AddedTokenMatcher raw_tokens_;
  AddedTokenMatcher normalized_tokens_;
  std::vector<AddedToken> added_;
  std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>> added_ids_;
  std::vector<TokenEntry> entries_;
  mutable WordCachePool caches_;
};

Json part_of(const Json& document, const std::string& key) {
  const auto found = document.find(key);
  return found == document.end() ? Json() : *found;
}

JsonTokenizer::JsonTokenizer(const Json& document)
    : normalizer_(with_context("normalizer", [&] { return make_normalizer(part_of(document, "normalizer")); })),
      pre_tokenizer_(with_context("pre_tokenizer", [&] { return make_pre_tokenizer(part_of(document, "pre_tokenizer")); })),
      model_(with_context("model", [&] { return make_token_model(document["model"]); })),
      decoder_(with_context("decoder", [&] { return make_token_decoder(part_of(document, "decoder")); })),
      post_processor_(with_context("post_processor", [&] { return PostProcessor(part_of(document, "post_processor")); })) {
  add_tokens(with_context("added_tokens", [&] { return read_added_tokens(part_of(document, "added_tokens")); }));
  build_entries();
}

void JsonTokenizer::add_tokens(std::vector<AddedToken> tokens) {
  const auto words = static_cast<int32_t>(model_->vocabulary().size());
  int32_t largest = -1;
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    const auto known_id = id_of(token.content);
    const int64_t id = known_id ? *known_id : std::max<int64_t>(words, int64_t{largest} + 1);
    if (id > kLargestId) throw Error("added_tokens: expected ids of at most {}, found {}", kLargestId, id);
    token.id = static_cast<int32_t>(id);
    largest = std::max(largest, token.id);
    added_ids_[token.content] = token.id;
    added_.push_back(std::move(token));
  }
  // Special tokens come first where two tokens have one pattern.
  for (const bool special : {true, false}) {
    for (const AddedToken& token : added_) {
      if (token.special != special) continue;
      if (!token.normalized) {
        raw_tokens_.add(token.content, token);
      } else {
        normalized_tokens_.add(normalizer_ ? normalizer_->normalize(token.content) : token.content, token);
      }
    }
  }
}

void JsonTokenizer::build_entries() {
  int32_t largest = -1;
  for (const auto& [token, id] : model_->vocabulary()) largest = std::max(largest, id);
  for (const AddedToken& token : added_) largest = std::max(largest, token.id);
  // A vocabulary with holes larger than itself is a damaged file, not a tokenizer.
  const size_t limit = 16 * (model_->vocabulary().size() + added_.size()) + 65536;
  const auto count = static_cast<size_t>(int64_t{largest} + 1);
  if (count > limit) throw Error("model: expected ids below {}, found {}", limit, largest);
  entries_.resize(count);
  const auto set = [&](const std::string& token, int32_t id) {
    entries_[static_cast<size_t>(id)] = {token, decoder_->bytes_of(token), true, false};
  };
  for (const auto& [token, id] : model_->vocabulary()) set(token, id);
  for (const AddedToken& token : added_) set(token.content, token.id);
  std::unordered_set<std::string> special;
  for (const AddedToken& token : added_) {
    if (token.special) special.insert(token.content);
  }
  for (TokenEntry& e : entries_) e.special = e.known && special.contains(e.token);
}

std::optional<int64_t> JsonTokenizer::id_of(std::string_view token) const {
  if (const auto found = added_ids_.find(token); found != added_ids_.end()) return found->second;
  if (const auto id = model_->id_of(token)) return *id;
  return std::nullopt;
}

void JsonTokenizer::encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& fresh,
                                std::vector<int64_t>& ids) const {
  if (const auto cached = cache.find(word)) {
    ids.insert(ids.end(), cached->begin(), cached->end());
    return;
  }
  fresh.clear();
  if (pre_tokenizer_.bytes_mapped_last) {
    model_->encode_word(alphabet_.to_characters(word), fresh);
  } else {
    model_->encode_word(word, fresh);
  }
  cache.insert(word, fresh);
  ids.insert(ids.end(), fresh.begin(), fresh.end());
}

void JsonTokenizer::encode_words(std::string_view text, bool at_start, WordCache& cache, std::vector<int64_t>& ids) const {
  if (text.empty()) return;
  std::deque<std::string> arena;
  std::vector<Piece> pieces{{text, at_start}};
  if (pre_tokenizer_.steps) pre_tokenizer_.steps->apply(pieces, arena);
  std::vector<int32_t> fresh;
  for (const Piece& piece : pieces) encode_word(piece.text, cache, fresh, ids);
}

std::vector<int64_t> JsonTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = to_valid_utf8(text);
  std::vector<Segment> raw;
  if (options.plain && !text.empty()) {
    raw.push_back({std::nullopt, text});
  } else {
    raw_tokens_.split(text, raw);
  }
  auto cache = caches_.take();
  std::vector<int64_t> ids;
  ids.reserve(text.size() / 3 + 8);
  std::vector<Segment> segments;
  for (const Segment& part : raw) {
    if (part.id) {
      ids.push_back(*part.id);
      continue;
    }
    std::string written;
    std::string_view normal = part.text;
    if (normalizer_) normal = written = normalizer_->normalize(std::string(part.text));
    segments.clear();
    if (options.plain && !normal.empty()) {
      segments.push_back({std::nullopt, normal});
    } else {
      normalized_tokens_.split(normal, segments);
    }
    for (const Segment& segment : segments) {
      if (segment.id) {
        ids.push_back(*segment.id);
      } else {
        encode_words(segment.text, part.text.data() == text.data() && segment.text.data() == normal.data(), *cache, ids);
      }
    }
  }
  caches_.give(std::move(cache));
  return options.add_special ? post_processor_.add_special(std::move(ids)) : ids;
}

std::string JsonTokenizer::decode(std::span<const int64_t> ids, bool skip_special) const {
  if (decoder_->is_bytewise()) {
    std::string bytes;
    for (const int64_t id : ids) {
      if (known(id) && !(skip_special && entry(id).special)) bytes += entry(id).bytes;
    }
    return is_valid_utf8(bytes) ? bytes : to_valid_utf8(bytes);
  }
  std::vector<std::string> tokens;
  for (const int64_t id : ids) {
    if (known(id) && !(skip_special && entry(id).special)) tokens.push_back(entry(id).token);
  }
  decoder_->apply(tokens);
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::from_file(const std::string& path) { return from_json_text(read_file(path), path); }

std::shared_ptr<const Tokenizer> Tokenizer::from_json_text(std::string_view json, const std::string& name) {
  return with_context(name, [&]() -> std::shared_ptr<const Tokenizer> {
    const Json document = parse_json(json);
    if (!document.is_object()) throw Error("expected a JSON object, found {}", document.type_name());
    if (!document.contains("model")) throw Error("expected the part \"model\", found none");
    try {
      return std::make_shared<JsonTokenizer>(document);
    } catch (const Json::exception& error) {
      throw Error("expected a tokenizer, found a part of another type ({})", error.what());
    }
  });
}

}  // namespace harness
