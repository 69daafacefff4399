// Byte-pair encoding: a word's characters merged by rank until no rule applies.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/text/tokenizer/token_model.h"

namespace harness {

// Rules come in the order of their rank, the first applied first.
struct MergeRule {
  std::string left;
  std::string right;
};

struct BpeOptions {
  std::string unknown;  // empty: characters outside the vocabulary are left out
  std::string prefix;   // before each character of a word but the first
  std::string suffix;   // behind the last character of a word
  bool fuse_unknown = false;
  bool byte_fallback = false;  // characters outside the vocabulary become <0x..> tokens
  bool ignore_merges = false;  // a word that is in the vocabulary is not taken apart
};

// (left id, right id) -> (rank, merged id), open addressing.
class MergeTable {
 public:
  struct Merge {
    int32_t rank = -1;
    int32_t id = -1;
  };
  explicit MergeTable(size_t count);
  void insert(int32_t left, int32_t right, Merge merge);
  // Rank -1: no rule.
  [[nodiscard]] Merge find(int32_t left, int32_t right) const {
    const uint64_t key = key_of(left, right);
    for (size_t slot = slot_of(key);; slot = (slot + 1) & mask_) {
      if (slots_[slot].key == key) return slots_[slot].merge;
      if (slots_[slot].key == kEmpty) return {};
    }
  }

 private:
  struct Slot {
    uint64_t key = kEmpty;
    Merge merge;
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static uint64_t key_of(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
  }
  // Fibonacci hashing: the high bits of the product with 2^64 / golden ratio.
  [[nodiscard]] size_t slot_of(uint64_t key) const { return static_cast<size_t>((key * 0x9E3779B97F4A7C15ULL) >> shift_); }

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  int shift_ = 0;
};

class Bpe : public TokenModel {
 public:
  // Throws Error for a rule whose parts or whose result have no id. Source: Sennrich, Haddow, Birch 2016.
  Bpe(Vocabulary vocabulary, const std::vector<MergeRule>& merges, BpeOptions options);
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const override;

 private:
  void initial_symbols(std::string_view word, std::vector<int32_t>& symbols) const;
  bool add_bytes(std::string_view character, std::vector<int32_t>& symbols) const;
  void merge_short(std::vector<int32_t>& symbols) const;
  void merge_long(std::vector<int32_t>& symbols) const;

  BpeOptions options_;
  MergeTable merges_;
  bool has_merges_ = false;
  std::array<int32_t, 256> byte_ids_{};   // <0x00> .. <0xFF>, -1 where missing
  std::array<int32_t, 128> ascii_ids_{};  // single characters, -1 where missing
  int32_t unknown_id_ = -1;
};

}  // namespace harness
