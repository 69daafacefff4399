// Word cache: the ids of words that were seen before. One at a time uses it; a pool hands them out.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

// Holds up to half as many words as it has slots; one more, and it begins anew.
class WordCache {
 public:
  // Longer words are rare and not worth the room.
  static constexpr size_t kLongestWord = 128;

  WordCache() : slots_(kSlots) {}
  // The ids, valid until the next `insert`; none: not seen.
  [[nodiscard]] std::optional<std::span<const int32_t>> find(std::string_view word) const {
    const uint64_t hash = hash_of(word);
    for (size_t slot = hash & (kSlots - 1);; slot = (slot + 1) & (kSlots - 1)) {
      const Slot& entry = slots_[slot];
      if (entry.length == 0) return std::nullopt;
      if (entry.hash == hash && entry.length == word.size() &&
          std::memcmp(&letters_[entry.word], word.data(), word.size()) == 0) {
        return std::span<const int32_t>(ids_).subspan(entry.ids, entry.count);
      }
    }
  }
  void insert(std::string_view word, std::span<const int32_t> ids) {
    if (word.empty() || word.size() > kLongestWord) return;
    if (used_ >= kSlots / 2) clear();
    const uint64_t hash = hash_of(word);
    size_t slot = hash & (kSlots - 1);
    while (slots_[slot].length != 0) slot = (slot + 1) & (kSlots - 1);
    slots_[slot] = {hash, static_cast<uint32_t>(letters_.size()), static_cast<uint32_t>(word.size()),
                    static_cast<uint32_t>(ids_.size()), static_cast<uint32_t>(ids.size())};
    letters_ += word;
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    ++used_;
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t word = 0;    // where its letters begin
    uint32_t length = 0;  // 0: free
    uint32_t ids = 0;     // where its ids begin
    uint32_t count = 0;
  };
  static constexpr size_t kSlots = size_t{1} << 16;

  static uint64_t hash_of(std::string_view word) {
    uint64_t hash = word.size() * 0x9E3779B97F4A7C15ULL;
    const auto mix = [&](uint64_t part) {
      hash = (hash ^ part) * 0xD6E8FEB86659FD93ULL;
      hash ^= hash >> 32;
    };
    size_t at = 0;
    for (; at + 8 <= word.size(); at += 8) {
      uint64_t part = 0;
      std::memcpy(&part, word.data() + at, 8);
      mix(part);
    }
    if (at < word.size()) {
      uint64_t part = 0;
      std::memcpy(&part, word.data() + at, word.size() - at);
      mix(part);
    }
    return hash;
  }
  void clear() {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    letters_.clear();
    ids_.clear();
    used_ = 0;
  }

  std::vector<Slot> slots_;
  std::string letters_;
  std::vector<int32_t> ids_;
  size_t used_ = 0;
};

// One lock for each text, none for each word.
class WordCachePool {
 public:
  std::unique_ptr<WordCache> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<WordCache>();
    auto cache = std::move(free_.back());
    free_.pop_back();
    return cache;
  }
  void give(std::unique_ptr<WordCache> cache) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(cache));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<WordCache>> free_;
};

}  // namespace harness
