// Tiles: matrices of fp32 sums in the registers of a block's threads, and products of tiles in shared memory added to them.
//
// A tile hides which thread holds which of its sums: `row` and `column` say it. What a product reads stands in shared memory as
// numbers of the type Staged, in rows kPad values longer than they must be, so that no two threads wait for one bank.
#pragma once

#include <type_traits>

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
  // sums(m, n) += sum_k left(m, k) right(k, n) for k < depth, a multiple of 16.
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

// What a thread of a warp holds of the two sides of a product [16, 16] x [16, 8] by the tensor cores: two bf16 in a word, the
// one of lower k in the lower half.
struct MmaLeft {
  uint32_t words[4];
};
struct MmaRight {
  uint32_t words[2];
};
// Row (of the right side: column) and first k of a word in the PTX fragments of mma.m16n8k16; those of the sums are like them.
struct MmaPlace {
  int outer, k;
};
MEDSBENCH_DEVICE MmaPlace mma_left(int lane, int word) { return {lane / 4 + word % 2 * 8, lane % 4 * 2 + word / 2 * 8}; }
MEDSBENCH_DEVICE MmaPlace mma_right(int lane, int word) { return {lane / 4, lane % 4 * 2 + word * 8}; }

// Four sums of each thread += its warp's product; the whole warp takes part.
template <typename Own, int kThreads>
MEDSBENCH_DEVICE void add_mma(PerThread<Own, kThreads>& sums, int first, const PerThread<MmaLeft, kThreads>& left,
                              const PerThread<MmaRight, kThreads>& right) {
#ifdef __CUDACC__
  float* c = sums[0].of + first;
  const uint32_t *a = left[0].words, *b = right[0].words;
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  const auto half = [](uint32_t word, int side) { return to_float(Bf16{static_cast<uint16_t>(word >> (16 * side))}); };
  for (int begin = 0; begin < kThreads; begin += kWarp) {
    float a[16][16], b[8][16];
    for (int lane = 0; lane < kWarp; ++lane) {
      for (int side = 0; side < 2; ++side) {
        for (int word = 0; word < 4; ++word) {
          const MmaPlace at = mma_left(lane, word);
          a[at.outer][at.k + side] = half(left[begin + lane].words[word], side);
        }
        for (int word = 0; word < 2; ++word) {
          const MmaPlace at = mma_right(lane, word);
          b[at.outer][at.k + side] = half(right[begin + lane].words[word], side);
        }
      }
    }
    for (int lane = 0; lane < kWarp; ++lane) {
      for (int n = 0; n < 4; ++n) {
        const int row = lane / 4 + n / 2 * 8, column = lane % 4 * 2 + n % 2;
        for (int k = 0; k < 16; ++k) sums[begin + lane].of[first + n] += a[row][k] * b[column][k];
      }
    }
  }
#endif
}

// Sums [kRows, kColumns] of products of bf16 by the tensor cores, added in fp32: a warp 16 rows or more.
template <int kThreads, int kRows, int kColumns>
class MmaTile {
  static constexpr int kWarps = kThreads / kWarp, kWarpRows = kWarps < kRows / 16 ? kWarps : kRows / 16;
  static constexpr int kDown = kRows / 16 / kWarpRows, kAcross = kColumns * kWarpRows / (8 * kWarps);  // products of a warp
  static_assert(kDown * 16 * kWarpRows == kRows && kAcross * 8 * kWarps == kColumns * kWarpRows);

 public:
  using Staged = Bf16;
  static constexpr int kPad = 8;  // rows of words then begin 4 banks apart, at multiples of 16 bytes
  static constexpr int kOwn = kDown * kAcross * 4;

  MEDSBENCH_DEVICE static int row(int thread, int n) {
    return first_row(thread, n / 4 / kAcross) + thread % kWarp / 4 + n % 4 / 2 * 8;
  }
  MEDSBENCH_DEVICE static int column(int thread, int n) {
    return first_column(thread, n / 4 % kAcross) + thread % 4 * 2 + n % 2;
  }
  MEDSBENCH_DEVICE float& at(int thread, int n) { return own_[thread].of[n]; }

  MEDSBENCH_DEVICE void clear(Block<kThreads>& block) {
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int n = 0; n < kOwn; ++n) own_[thread].of[n] = 0;
    });
  }
  template <typename Left, typename Right, typename A, typename B>
  MEDSBENCH_DEVICE void add_product(Block<kThreads>& block, const A& left, const B& right, int depth) {
    for (int k = 0; k < depth; k += 16) {
      PerThread<MmaLeft, kThreads> a[kDown];
      block.each_own([&](int thread) {
        MEDSBENCH_UNROLL
        for (int word = 0; word < 4 * kDown; ++word) {
          const MmaPlace at = mma_left(thread % kWarp, word % 4);
          a[word / 4][thread].words[word % 4] =
              two<Left::kDepth>(left, (first_row(thread, word / 4) + at.outer) * Left::kOuter + (k + at.k) * Left::kDepth);
        }
      });
      MEDSBENCH_UNROLL
      for (int across = 0; across < kAcross; ++across) {
        PerThread<MmaRight, kThreads> b;
        block.each_own([&](int thread) {
          MEDSBENCH_UNROLL
          for (int word = 0; word < 2; ++word) {
            const MmaPlace at = mma_right(thread % kWarp, word);
            b[thread].words[word] = two<Right::kDepth>(
                right, (first_column(thread, across) + at.outer) * Right::kOuter + (k + at.k) * Right::kDepth);
          }
        });
        MEDSBENCH_UNROLL
        for (int down = 0; down < kDown; ++down) add_mma(own_, (down * kAcross + across) * 4, a[down], b);
      }
    }
  }

 private:
  struct Own {
    float of[kOwn];
  };
  MEDSBENCH_DEVICE static int first_row(int thread, int down) { return (thread / kWarp % kWarpRows * kDown + down) * 16; }
  MEDSBENCH_DEVICE static int first_column(int thread, int across) {
    return (thread / kWarp / kWarpRows * kAcross + across) * 8;
  }
  // The numbers at `at` and `at + kStep` in one word.
  template <int kStep, typename Array>
  MEDSBENCH_DEVICE static uint32_t two(const Array& from, int at) {
#ifdef __CUDACC__
    if constexpr (kStep == 1) {
      return *reinterpret_cast<const uint32_t*>(&from[at]);
    } else {
      return from[at].bits | static_cast<uint32_t>(from[at + kStep].bits) << 16;
    }
#else
    const Bf16 low = from[at], high = from[at + kStep];
    return low.bits | static_cast<uint32_t>(high.bits) << 16;
#endif
  }
  PerThread<Own, kThreads> own_;
};

template <typename T, int kThreads, int kRows, int kColumns>
using TileOf =
    std::conditional_t<std::is_same<T, Bf16>::value, MmaTile<kThreads, kRows, kColumns>, FmaTile<kThreads, kRows, kColumns>>;

// Neighbouring numbers to shared memory, at once where the rows of the tile allow it.
template <typename T, int kCount, typename Array>
MEDSBENCH_DEVICE void put_pack(const Array& to, int at, const Pack<T, kCount>& pack) {
#ifdef __CUDACC__
  if constexpr (std::is_same<T, Bf16>::value) {
    store_pack<kCount>(&to[at], pack);
    return;
  }
#endif
  MEDSBENCH_UNROLL
  for (int j = 0; j < kCount; ++j) to[at + j] = pack.values[j];
}

}  // namespace harness::cuda
