// Tiles: matrices of fp32 sums in the registers of a block's threads, and products of tiles in shared memory added to them.
//
// A tile hides which thread holds which of its sums: `row` and `column` say it. What a product reads stands in shared memory as
// numbers of the type Staged, in rows kPad values longer than they must be, so that no two threads wait for one bank.
#pragma once

#include "harness/cuda/block.h"

namespace harness::cuda {

// Where a product finds element (m, k) of its left side, or (k, n) of its right: at m (n) * kOuter + k * kDepth.
template <int kOuterStride, int kDepthStride>
struct Layout {
  static constexpr int kOuter = kOuterStride, kDepth = kDepthStride;
};

// Sums [kRows, kColumns] by fused multiply-adds in fp32.
template <int kThreads, int kRows, int kColumns>
class FmaTile {
  static constexpr int kAcross = kColumns >= 128 ? 32 : 16, kDown = kThreads / kAcross;
  static constexpr int kOwnRows = kRows / kDown, kOwnColumns = kColumns / kAcross;
  static_assert(kOwnRows * kDown == kRows && kOwnColumns * kAcross == kColumns);

 public:
  using Staged = float;
  static constexpr int kPad = 1;
  static constexpr int kOwn = kOwnRows * kOwnColumns;  // sums a thread

  MEDSBENCH_DEVICE static int row(int thread, int n) { return thread / kAcross + n / kOwnColumns * kDown; }
  MEDSBENCH_DEVICE static int column(int thread, int n) { return thread % kAcross + n % kOwnColumns * kAcross; }
  MEDSBENCH_DEVICE float& at(int thread, int n) { return own_[thread].of[n]; }

  MEDSBENCH_DEVICE void clear(Block<kThreads>& block) {
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int n = 0; n < kOwn; ++n) own_[thread].of[n] = 0;
    });
  }
  // sums(m, n) += sum_k left(m, k) right(k, n) for k < depth.
  template <typename Left, typename Right, typename A, typename B>
  MEDSBENCH_DEVICE void add_product(Block<kThreads>& block, const A& left, const B& right, int depth) {
    block.each_own([&](int thread) {
      Own& own = own_[thread];
      for (int k = 0; k < depth; ++k) {
        float a[kOwnRows], b[kOwnColumns];
        MEDSBENCH_UNROLL
        for (int i = 0; i < kOwnRows; ++i) a[i] = left[(thread / kAcross + i * kDown) * Left::kOuter + k * Left::kDepth];
        MEDSBENCH_UNROLL
        for (int j = 0; j < kOwnColumns; ++j)
          b[j] = right[(thread % kAcross + j * kAcross) * Right::kOuter + k * Right::kDepth];
        MEDSBENCH_UNROLL
        for (int n = 0; n < kOwn; ++n) own.of[n] += a[n / kOwnColumns] * b[n % kOwnColumns];
      }
    });
  }

 private:
  struct Own {
    float of[kOwn];
  };
  PerThread<Own, kThreads> own_;
};

}  // namespace harness::cuda
