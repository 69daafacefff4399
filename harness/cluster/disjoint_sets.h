// DisjointSets: union by rank with path halving; of equal ranks the first root stays root.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace harness {

// Of the elements 0 .. n-1, each alone at first.
class DisjointSets {
 public:
  explicit DisjointSets(int64_t n) : parent_(static_cast<size_t>(n)), rank_(static_cast<size_t>(n), 0) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  // The root of the set that holds x.
  int32_t find(int32_t x) {
    while (parent_[static_cast<size_t>(x)] != x) {
      int32_t& above = parent_[static_cast<size_t>(x)];
      above = parent_[static_cast<size_t>(above)];
      x = above;
    }
    return x;
  }

  // Joins the sets of two different roots; returns the root that stays.
  int32_t join(int32_t a, int32_t b) {
    if (rank_[static_cast<size_t>(a)] < rank_[static_cast<size_t>(b)]) std::swap(a, b);
    if (rank_[static_cast<size_t>(a)] == rank_[static_cast<size_t>(b)]) ++rank_[static_cast<size_t>(a)];
    parent_[static_cast<size_t>(b)] = a;
    return a;
  }

 private:
  std::vector<int32_t> parent_;
  std::vector<uint8_t> rank_;
};

}  // namespace harness
