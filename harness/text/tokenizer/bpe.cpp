#include "harness/text/tokenizer/bpe.h"

#include <bit>
#include <queue>

#include "harness/core/error.h"
#include "harness/core/utf8.h"

namespace harness {

namespace {

// Below this many symbols a scan for the lowest rank beats a heap.
constexpr size_t kShortWord = 48;

}  // namespace

MergeTable::MergeTable(size_t count) {
  const size_t capacity = std::bit_ceil(std::max<size_t>(16, count * 2));
  slots_.resize(capacity);
  mask_ = capacity - 1;
  shift_ = 64 - std::countr_zero(capacity);
}

void MergeTable::insert(int32_t left, int32_t right, Merge merge) {
  const uint64_t key = key_of(left, right);
  size_t slot = slot_of(key);
  while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask_;
  slots_[slot] = {key, merge};
}

Bpe::Bpe(Vocabulary vocabulary, const std::vector<MergeRule>& merges, BpeOptions options)
    : TokenModel(std::move(vocabulary)), options_(std::move(options)), merges_(merges.size()), has_merges_(!merges.empty()) {
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) byte_ids_[byte] = id_of(fmt::format("<0x{:02X}>", byte)).value_or(-1);
  for (size_t c = 0; c < ascii_ids_.size(); ++c) ascii_ids_[c] = id_of(std::string(1, static_cast<char>(c))).value_or(-1);
  if (!options_.unknown.empty()) unknown_id_ = id_of(options_.unknown).value_or(-1);
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const MergeRule& rule = merges[rank];
    const auto id = [&](const std::string& token) {
      const auto found = id_of(token);
      if (!found) throw Error("\"merges\": number {}: expected tokens of the vocabulary, found \"{}\"", rank, token);
      return *found;
    };
    if (rule.right.size() < options_.prefix.size()) {
      throw Error("\"merges\": number {}: expected the prefix \"{}\", found \"{}\"", rank, options_.prefix, rule.right);
    }
    const int32_t merged = id(rule.left + rule.right.substr(options_.prefix.size()));
    merges_.insert(id(rule.left), id(rule.right), {static_cast<int32_t>(rank), merged});
  }
}

bool Bpe::add_bytes(std::string_view character, std::vector<int32_t>& symbols) const {
  for (const char byte : character) {
    if (byte_ids_[static_cast<unsigned char>(byte)] < 0) return false;
  }
  for (const char byte : character) symbols.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
  return true;
}

void Bpe::initial_symbols(std::string_view word, std::vector<int32_t>& symbols) const {
  const bool decorated = !options_.prefix.empty() || !options_.suffix.empty();
  bool unknown_waits = false;
  const auto flush_unknown = [&] {
    if (unknown_waits) symbols.push_back(unknown_id_);
    unknown_waits = false;
  };
  std::string written;
  for (size_t at = 0; at < word.size();) {
    const size_t length = static_cast<size_t>(code_point_at(word, at).length);
    std::string_view character = word.substr(at, length);
    if (decorated) {
      written = at > 0 ? options_.prefix : std::string();
      written += character;
      if (at + length == word.size()) written += options_.suffix;
      character = written;
    }
    at += length;
    std::optional<int32_t> id;
    if (character.size() == 1 && static_cast<unsigned char>(character[0]) < 0x80) {
      const int32_t ascii = ascii_ids_[static_cast<unsigned char>(character[0])];
      if (ascii >= 0) id = ascii;
    } else {
      id = id_of(character);
    }
    if (id) {
      flush_unknown();
      symbols.push_back(*id);
    } else if (options_.byte_fallback && add_bytes(character, symbols)) {
      continue;  // an unknown that waits stays behind these bytes, as in the reference
    } else if (!options_.unknown.empty()) {
      if (unknown_id_ < 0) throw Error("the unknown token \"{}\" is not in the vocabulary", options_.unknown);
      if (!options_.fuse_unknown) flush_unknown();
      unknown_waits = true;
    }
  }
  flush_unknown();
}

void Bpe::merge_short(std::vector<int32_t>& symbols) const {
  std::array<MergeTable::Merge, kShortWord> pairs;  // pairs[i] joins symbols i and i + 1
  size_t count = symbols.size();
  for (size_t i = 0; i + 1 < count; ++i) pairs[i] = merges_.find(symbols[i], symbols[i + 1]);
  while (count > 1) {
    size_t best = count;
    for (size_t i = 0; i + 1 < count; ++i) {
      if (pairs[i].rank >= 0 && (best == count || pairs[i].rank < pairs[best].rank)) best = i;
    }
    if (best == count) break;
    symbols[best] = pairs[best].id;
    for (size_t i = best + 1; i + 1 < count; ++i) {
      symbols[i] = symbols[i + 1];
      pairs[i - 1] = pairs[i];
    }
    --count;
    if (best > 0) pairs[best - 1] = merges_.find(symbols[best - 1], symbols[best]);
    if (best + 1 < count) pairs[best] = merges_.find(symbols[best], symbols[best + 1]);
  }
  symbols.resize(count);
}

void Bpe::merge_long(std::vector<int32_t>& symbols) const {
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
  };
  struct Candidate {
    int32_t rank;
    int32_t position;
    int32_t left;
    int32_t right;
    bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : position > other.position; }
  };
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<Symbol> chain(symbols.size());
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](int32_t position) {
    if (position < 0 || chain[static_cast<size_t>(position)].next < 0) return;
    const Symbol& left = chain[static_cast<size_t>(position)];
    const Symbol& right = chain[static_cast<size_t>(left.next)];
    const auto merge = merges_.find(left.id, right.id);
    if (merge.rank >= 0) queue.push({merge.rank, position, left.id, right.id});
  };
  for (int32_t i = 0; i < count; ++i)
    chain[static_cast<size_t>(i)] = {symbols[static_cast<size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1};
  for (int32_t i = 0; i + 1 < count; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = chain[static_cast<size_t>(top.position)];
    if (left.id != top.left || left.next < 0) continue;  // id -1: merged away
    Symbol& right = chain[static_cast<size_t>(left.next)];
    if (right.id != top.right) continue;
    left.id = merges_.find(top.left, top.right).id;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) chain[static_cast<size_t>(left.next)].previous = top.position;
    offer(left.previous);
    offer(top.position);
  }
  symbols.clear();
  for (int32_t i = 0; i >= 0; i = chain[static_cast<size_t>(i)].next) symbols.push_back(chain[static_cast<size_t>(i)].id);
}

void Bpe::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  if (options_.ignore_merges) {
    if (const auto id = id_of(word)) {
      ids.push_back(*id);
      return;
    }
  }
  std::vector<int32_t> symbols;
  symbols.reserve(word.size());
  initial_symbols(word, symbols);
  if (has_merges_ && symbols.size() > 1) {
    if (symbols.size() <= kShortWord) {
      merge_short(symbols);
    } else {
      merge_long(symbols);
    }
  }
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

}  // namespace harness
