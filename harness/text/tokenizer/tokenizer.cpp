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

Json part_of(const Json& document, const std::string& key) {
  const auto found = document.find(key);
  return found == document.end() ? Json() : *found;
}

}  // namespace

// The parts of a tokenizer.json.
struct Tokenizer::Impl {
  // What one id stands for.
  struct TokenEntry {
    std::string token;  // as the vocabulary has it; of an added token that is looked for in normalised text, normalised
    std::string bytes;
    bool known = false;
    bool special = false;
  };

  explicit Impl(const Json& document);
  void add_tokens(std::vector<AddedToken> tokens);
  void build_entries();
  [[nodiscard]] bool known(int64_t id) const { return id >= 0 && id < static_cast<int64_t>(entries.size()) && entry(id).known; }
  [[nodiscard]] const TokenEntry& entry(int64_t id) const { return entries[static_cast<size_t>(id)]; }
  [[nodiscard]] std::optional<int64_t> id_of(std::string_view token) const;
  // What is looked for in a text, and what its id stands for.
  [[nodiscard]] std::string pattern_of(const AddedToken& token) const;
  // Cuts normalised text into words and adds their ids.
  void encode_words(std::string_view text, bool at_start, WordCache& cache, std::vector<int64_t>& ids) const;
  void encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& fresh, std::vector<int64_t>& ids) const;

  std::unique_ptr<Normalizer> normalizer;
  PreTokenizerChain pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  std::unique_ptr<TokenDecoder> decoder;
  PostProcessor post_processor;
  ByteLevelAlphabet alphabet;
  AddedTokenMatcher raw_tokens;
  AddedTokenMatcher normalized_tokens;
  std::vector<AddedToken> added;
  std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>> added_ids;
  std::vector<TokenEntry> entries;
  mutable WordCachePool caches;
};

Tokenizer::Impl::Impl(const Json& document)
    : normalizer(with_context("normalizer", [&] { return make_normalizer(part_of(document, "normalizer")); })),
      pre_tokenizer(with_context("pre_tokenizer", [&] { return make_pre_tokenizer(part_of(document, "pre_tokenizer")); })),
      model(with_context("model", [&] { return make_token_model(document["model"]); })),
      decoder(with_context("decoder", [&] { return make_token_decoder(part_of(document, "decoder")); })),
      post_processor(with_context("post_processor", [&] { return PostProcessor(part_of(document, "post_processor")); })) {
  add_tokens(with_context("added_tokens", [&] { return read_added_tokens(part_of(document, "added_tokens")); }));
  build_entries();
}

void Tokenizer::Impl::add_tokens(std::vector<AddedToken> tokens) {
  const auto words = static_cast<int32_t>(model->vocabulary().size());
  int32_t largest = -1;
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    const auto known_id = id_of(token.content);
    const int64_t id = known_id ? *known_id : std::max<int64_t>(words, int64_t{largest} + 1);
    if (id > kLargestId) throw Error("added_tokens: expected ids of at most {}, found {}", kLargestId, id);
    token.id = static_cast<int32_t>(id);
    largest = std::max(largest, token.id);
    added_ids[token.content] = token.id;
    added.push_back(std::move(token));
  }
  // Special tokens come first where two tokens have one pattern.
  for (const bool special : {true, false}) {
    for (const AddedToken& token : added) {
      if (token.special != special) continue;
      (token.normalized ? normalized_tokens : raw_tokens).add(pattern_of(token), token);
    }
  }
}

void Tokenizer::Impl::build_entries() {
  int32_t largest = -1;
  for (const auto& [token, id] : model->vocabulary()) largest = std::max(largest, id);
  for (const AddedToken& token : added) largest = std::max(largest, token.id);
  // A vocabulary with holes larger than itself is a damaged file, not a tokenizer.
  const size_t limit = 16 * (model->vocabulary().size() + added.size()) + 65536;
  const auto count = static_cast<size_t>(int64_t{largest} + 1);
  if (count > limit) throw Error("model: expected ids below {}, found {}", limit, largest);
  entries.resize(count);
  const auto set = [&](const std::string& token, int32_t id) {
    entries[static_cast<size_t>(id)] = {token, decoder->bytes_of(token), true, false};
  };
  for (const auto& [token, id] : model->vocabulary()) set(token, id);
  for (const AddedToken& token : added) set(pattern_of(token), token.id);
  std::unordered_set<std::string> special;
  for (const AddedToken& token : added) {
    if (token.special) special.insert(token.content);
  }
  for (TokenEntry& e : entries) e.special = e.known && special.contains(e.token);
}

std::string Tokenizer::Impl::pattern_of(const AddedToken& token) const {
  return token.normalized && normalizer ? normalizer->normalize(token.content) : token.content;
}

std::optional<int64_t> Tokenizer::Impl::id_of(std::string_view token) const {
  if (const auto found = added_ids.find(token); found != added_ids.end()) return found->second;
  if (const auto id = model->id_of(token)) return *id;
  return std::nullopt;
}

void Tokenizer::Impl::encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& fresh,
                                  std::vector<int64_t>& ids) const {
  if (const auto cached = cache.find(word)) {
    ids.insert(ids.end(), cached->begin(), cached->end());
    return;
  }
  fresh.clear();
  if (pre_tokenizer.bytes_mapped_last) {
    model->encode_word(alphabet.to_characters(word), fresh);
  } else {
    model->encode_word(word, fresh);
  }
  cache.insert(word, fresh);
  ids.insert(ids.end(), fresh.begin(), fresh.end());
}

void Tokenizer::Impl::encode_words(std::string_view text, bool at_start, WordCache& cache, std::vector<int64_t>& ids) const {
  if (text.empty()) return;
  std::deque<std::string> arena;
  std::vector<Piece> pieces{{text, at_start}};
  if (pre_tokenizer.steps) pre_tokenizer.steps->apply(pieces, arena);
  std::vector<int32_t> fresh;
  for (const Piece& piece : pieces) encode_word(piece.text, cache, fresh, ids);
}

Tokenizer::Tokenizer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

std::string Tokenizer::token_bytes(int64_t id) const { return impl_->known(id) ? impl_->entry(id).bytes : std::string(); }
std::optional<int64_t> Tokenizer::id_of(std::string_view token) const { return impl_->id_of(token); }
int64_t Tokenizer::size() const { return static_cast<int64_t>(impl_->entries.size()); }

std::vector<int64_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = to_valid_utf8(text);
  std::vector<Segment> raw;
  if (options.plain && !text.empty()) {
    raw.push_back({std::nullopt, text});
  } else {
    impl_->raw_tokens.split(text, raw);
  }
  auto cache = impl_->caches.take();
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
    if (impl_->normalizer) normal = written = impl_->normalizer->normalize(std::string(part.text));
    segments.clear();
    if (options.plain && !normal.empty()) {
      segments.push_back({std::nullopt, normal});
    } else {
      impl_->normalized_tokens.split(normal, segments);
    }
    for (const Segment& segment : segments) {
      if (segment.id) {
        ids.push_back(*segment.id);
      } else {
        impl_->encode_words(segment.text, part.text.data() == text.data() && segment.text.data() == normal.data(), *cache, ids);
      }
    }
  }
  impl_->caches.give(std::move(cache));
  return options.add_special ? impl_->post_processor.add_special(std::move(ids)) : ids;
}

std::string Tokenizer::decode(std::span<const int64_t> ids, bool skip_special) const {
  if (impl_->decoder->is_bytewise()) {
    std::string bytes;
    for (const int64_t id : ids) {
      if (impl_->known(id) && !(skip_special && impl_->entry(id).special)) bytes += impl_->entry(id).bytes;
    }
    return is_valid_utf8(bytes) ? bytes : to_valid_utf8(bytes);
  }
  std::vector<std::string> tokens;
  for (const int64_t id : ids) {
    if (impl_->known(id) && !(skip_special && impl_->entry(id).special)) tokens.push_back(impl_->entry(id).token);
  }
  impl_->decoder->apply(tokens);
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

std::shared_ptr<const Tokenizer> Tokenizer::from_file(const std::string& path) { return from_json_text(read_file(path), path); }

std::shared_ptr<const Tokenizer> Tokenizer::from_json_text(std::string_view json, const std::string& name) {
  return with_context(name, [&]() -> std::shared_ptr<const Tokenizer> {
    const Json document = parse_json(json);
    if (!document.is_object()) throw Error("expected a JSON object, found {}", document.type_name());
    if (!document.contains("model")) throw Error("expected the part \"model\", found none");
    try {
      return std::shared_ptr<const Tokenizer>(new Tokenizer(std::make_unique<const Impl>(document)));
    } catch (const Json::exception& error) {
      throw Error("expected a tokenizer, found a part of another type ({})", problem_of(error));
    }
  });
}

}  // namespace harness
