// Keyed random streams: each draw is a pure function of (key, counter), Philox 4x32-10 of Random123 (Salmon et al. 2011).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace harness {

// A stream is named by what it is for and by whom it is drawn (docs/architecture.md, promise 4): run seed, purpose, problem
// hash, visit number, sample. The counter is the position in the response (or the index of the draw).
class RandomStream {
 public:
  RandomStream() = default;
  // Folds the purpose and the parts into a 64-bit key; different part lists give unrelated streams.
  RandomStream(std::string_view purpose, std::initializer_list<uint64_t> parts);

  // Draw number `counter`, uniform on [0, 1) with 53 bits.
  [[nodiscard]] double uniform(uint64_t counter) const;
  // Draw number `counter`, 64 uniform bits.
  [[nodiscard]] uint64_t bits(uint64_t counter) const;
  // Draw number `counter`, an integer uniform on [0, bound); bound > 0. The bias is below bound / 2^64.
  [[nodiscard]] uint64_t below(uint64_t counter, uint64_t bound) const;
  // Draw number `counter` (uses two uniforms of it), standard normal by Box-Muller.
  [[nodiscard]] double normal(uint64_t counter) const;
  // A permutation of 0..n-1 (Fisher-Yates on draws 0..n-2).
  [[nodiscard]] std::vector<int64_t> permutation(int64_t n) const;

  [[nodiscard]] uint64_t key() const { return key_; }

 private:
  uint64_t key_ = 0;
};

}  // namespace harness
