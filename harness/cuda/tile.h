// Tiles: matrices of fp32 sums in the registers of a block's threads, and products of tiles in shared memory added to them.
//
// A tile hides which thread holds which of its sums: `row` and `column` say it. What a product reads stands in shared memory as
// numbers of the type Staged, in rows kPad values longer than they must be, so that no two threads wait for one bank.
//
// A thread holds sums of kOwnRows rows, sum n of its row_index(n)th, which is row own_row(thread, row_index(n)) of the tile.
// The columns of a row are spread over kRowLanes neighbouring threads and, with others between them, over kRowWarps warps; sums
// n to n + kNeighbours - 1, n a multiple of kNeighbours, are neighbours in a row. Tiles of as many threads and rows, kRowLanes
// and kRowWarps hold the same rows in the same threads, whatever their columns: those with the same kWarpRows > 0, the warps
// that lie below one another, do.
#pragma once

#include <type_traits>

#include "harness/cuda/block.h"

namespace harness::cuda {

// Where a product finds element (m, k) of its left side, or (k, n) of its right: at m (n) * kOuter + k * kDepth.
template <int kOuterStride, int kDepthStride>
struct Layout {
  static constexpr int kOuter = kOuterStride, kDepth = kDepthStride;
};

// Sums [kRows, kColumns] by fused multiply-adds in fp32. kWarpRows 0: the threads lie as suits these columns.
template <int kThreads, int kRows, int kColumns, int kWarpRows = 0>
class FmaTile {
  static constexpr int kAcross = kWarpRows == 0 && kColumns >= 128 ? 32 : 16, kDown = kThreads / kAcross;

 public:
  using Staged = float;
  static constexpr int kPad = 1;
  static constexpr int kTileRows = kRows, kTileColumns = kColumns, kRowLanes = kAcross, kRowWarps = 1, kNeighbours = 1;
  static constexpr int kOwnRows = kRows / kDown, kOwnColumns = kColumns / kAcross;
  static constexpr int kOwn = kOwnRows * kOwnColumns;  // sums a thread
  static_assert(kOwnRows * kDown == kRows && kOwnColumns * kAcross == kColumns);

  MEDSBENCH_DEVICE static constexpr int row_index(int n) { return n / kOwnColumns; }
  MEDSBENCH_DEVICE static int own_row(int thread, int index) { return thread / kAcross + index * kDown; }
  MEDSBENCH_DEVICE static int row_warp(int) { return 0; }  // which of the kRowWarps
  MEDSBENCH_DEVICE static int row(int thread, int n) { return own_row(thread, row_index(n)); }
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

// Words of two bf16, the first in the lower half: what a thread of a warp holds of matrices of 8 x 8 numbers.
struct MmaWords {
  uint32_t words[4];
};
MEDSBENCH_DEVICE uint32_t two_bf16(float low, float high) {
  return from_float<Bf16>(low).bits | static_cast<uint32_t>(from_float<Bf16>(high).bits) << 16;
}

// kCount such matrices of each warp from shared memory (PTX ldmatrix): lane l says where row l % 8 of matrix l / 8 begins, and
// gets of each matrix two neighbours of row l / 4, or where it is turned of column l / 4.
template <int kCount, bool kTurned, typename Array, int kThreads>
MEDSBENCH_DEVICE void load_matrices(Block<kThreads>& block, const Array& from, const PerThread<int, kThreads>& rows,
                                    PerThread<MmaWords, kThreads>& into) {
#ifdef __CUDACC__
  (void)block;
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(&from[rows[0]]));
  uint32_t* w = into[0].words;
  if constexpr (kCount == 4 && kTurned) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
                 : "r"(address)
                 : "memory");
  } else if constexpr (kCount == 4) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
                 : "r"(address)
                 : "memory");
  } else if constexpr (kTurned) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(w[0]), "=r"(w[1])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(w[0]), "=r"(w[1]) : "r"(address) : "memory");
  }
#else
  block.each_own([&](int thread) {
    const int lane = thread % kWarp, outer = lane / 4, pair = lane % 4 * 2;
    for (int matrix = 0; matrix < kCount; ++matrix) {
      uint32_t word = 0;
      for (int side = 0; side < 2; ++side) {
        const int row = rows[thread - lane + matrix * 8 + (kTurned ? pair + side : outer)];
        if (row % 8 != 0) throw std::logic_error("a row of a matrix that is not aligned");
        const Bf16 number = from[row + (kTurned ? outer : pair + side)];
        word |= static_cast<uint32_t>(number.bits) << (16 * side);
      }
      into[thread].words[matrix] = word;
    }
  });
#endif
}

// Four sums of each thread, from `first` on, += left [16, 16] right [16, 8] of its warp (PTX mma.m16n8k16): the four matrices
// of the left side lie below and then beside one another, the two of the right, from word kRight on, below one another.
template <int kRight, typename Own, int kThreads>
MEDSBENCH_DEVICE void add_mma(PerThread<Own, kThreads>& sums, int first, const PerThread<MmaWords, kThreads>& left,
                              const PerThread<MmaWords, kThreads>& right) {
#ifdef __CUDACC__
  float* c = sums[0].of + first;
  const uint32_t *a = left[0].words, *b = right[0].words + kRight;
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  const auto half = [](uint32_t word, int side) { return to_float(Bf16{static_cast<uint16_t>(word >> (16 * side))}); };
  for (int begin = 0; begin < kThreads; begin += kWarp) {
    float a[16][16], b[8][16];  // b: by columns
    for (int lane = 0; lane < kWarp; ++lane) {
      const int outer = lane / 4, pair = lane % 4 * 2;
      for (int side = 0; side < 2; ++side) {
        for (int word = 0; word < 4; ++word) {
          a[outer + word % 2 * 8][pair + word / 2 * 8 + side] = half(left[begin + lane].words[word], side);
        }
        for (int word = 0; word < 2; ++word) {
          b[outer][pair + word * 8 + side] = half(right[begin + lane].words[kRight + word], side);
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

// Sums [kRows, kColumns] of products of bf16 by the tensor cores, added in fp32: a warp 32 rows where there are as many, so
// that it reads little of both sides. kChosen: kWarpRows, where they are not left to that rule.
template <int kThreads, int kRows, int kColumns, int kChosen = 0>
class MmaTile {
  static constexpr int kWarps = kThreads / kWarp;
  static constexpr int warp_rows() {
    if (kChosen > 0) return kChosen;
    int rows = 1;
    while (rows < kWarps && rows < kRows / 16 && (kRows / 16 / rows > 2 || kColumns * rows < 8 * kWarps)) rows *= 2;
    return rows;
  }
  static constexpr int kWarpRows = warp_rows();
  static constexpr int kDown = kRows / 16 / kWarpRows, kAcross = kColumns * kWarpRows / (8 * kWarps);  // products of a warp
  static_assert(kDown * 16 * kWarpRows == kRows && kAcross * 8 * kWarps == kColumns * kWarpRows);

 public:
  using Staged = Bf16;
  static constexpr int kPad = 8;  // rows then begin 4 banks apart, at multiples of 16 bytes
  static constexpr int kTileRows = kRows, kTileColumns = kColumns, kRowLanes = 4, kRowWarps = kWarps / kWarpRows;
  static constexpr int kOwnRows = kDown * 2, kOwn = kDown * kAcross * 4, kNeighbours = 2;

  MEDSBENCH_DEVICE static constexpr int row_index(int n) { return n / 4 / kAcross * 2 + n % 4 / 2; }
  MEDSBENCH_DEVICE static int own_row(int thread, int index) {
    return first_row(thread, index / 2) + thread % kWarp / 4 + index % 2 * 8;
  }
  MEDSBENCH_DEVICE static int row_warp(int thread) { return thread / kWarp / kWarpRows; }
  MEDSBENCH_DEVICE static int row(int thread, int n) { return own_row(thread, row_index(n)); }
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
    constexpr int kPair = kAcross % 2 == 0 ? 2 : 1;  // columns of products whose right sides are loaded at once
    for (int k = 0; k < depth; k += 16) {
      PerThread<MmaWords, kThreads> a[kDown], b;
      MEDSBENCH_UNROLL
      for (int down = 0; down < kDown; ++down) {
        load<Left, 4>(block, left, k, a[down], [&](int thread, int matrix) {
          return Place{first_row(thread, down) + matrix % 2 * 8, matrix / 2 * 8};
        });
      }
      MEDSBENCH_UNROLL
      for (int across = 0; across < kAcross; across += kPair) {
        load_right<Right, kPair>(block, right, k, across, b);
        MEDSBENCH_UNROLL
        for (int down = 0; down < kDown; ++down) {
          add_mma<0>(own_, (down * kAcross + across) * 4, a[down], b);
          if constexpr (kPair == 2) add_mma<2>(own_, (down * kAcross + across + 1) * 4, a[down], b);
        }
      }
    }
  }
  // The same where the left side [kRows, *] stands in the sums of another tile of the same rows, which it rounds to bf16: a
  // warp has whole rows of it.
  template <typename Right, typename Left, typename B>
  MEDSBENCH_DEVICE void add_product_of(Block<kThreads>& block, Left& left, const B& right, int depth) {
    static_assert(Left::kTileRows == kRows && Left::kRowWarps == 1 && kRowWarps == 1, "tiles of other rows in the threads");
    constexpr int kLeftAcross = Left::kTileColumns / 8, kPair = kAcross % 2 == 0 ? 2 : 1;
    static_assert(kLeftAcross % 2 == 0);
    MEDSBENCH_UNROLL
    for (int k = 0; k < Left::kTileColumns; k += 16) {
      if (k >= depth) continue;
      PerThread<MmaWords, kThreads> a[kDown], b;
      block.each_own([&](int thread) {
        MEDSBENCH_UNROLL
        for (int down = 0; down < kDown; ++down) {
          MEDSBENCH_UNROLL
          for (int word = 0; word < 4; ++word) {  // two sums: those of row word % 2, of the left or right 8 columns of 16
            const int n = (down * kLeftAcross + k / 8 + word / 2) * 4 + word % 2 * 2;
            a[down][thread].words[word] = two_bf16(left.at(thread, n), left.at(thread, n + 1));
          }
        }
      });
      MEDSBENCH_UNROLL
      for (int across = 0; across < kAcross; across += kPair) {
        load_right<Right, kPair>(block, right, k, across, b);
        MEDSBENCH_UNROLL
        for (int down = 0; down < kDown; ++down) {
          add_mma<0>(own_, (down * kAcross + across) * 4, a[down], b);
          if constexpr (kPair == 2) add_mma<2>(own_, (down * kAcross + across + 1) * 4, a[down], b);
        }
      }
    }
  }

 private:
  struct Own {
    float of[kOwn];
  };
  struct Place {
    int outer, depth;
  };
  MEDSBENCH_DEVICE static int first_row(int thread, int down) { return (thread / kWarp % kWarpRows * kDown + down) * 16; }
  MEDSBENCH_DEVICE static int first_column(int thread, int across) {
    return (thread / kWarp / kWarpRows * kAcross + across) * 8;
  }
  // Matrices of a side from depth k on; place(thread, matrix): where one begins.
  template <typename Side, int kCount, typename Array, typename PlaceOf>
  MEDSBENCH_DEVICE static void load(Block<kThreads>& block, const Array& from, int k, PerThread<MmaWords, kThreads>& into,
                                    PlaceOf place) {
    static_assert(Side::kOuter == 1 || Side::kDepth == 1);
    constexpr bool kTurned = Side::kDepth != 1;
    PerThread<int, kThreads> rows;
    block.each_own([&](int thread) {
      const Place at = place(thread, thread % kWarp / 8);
      const int row = thread % 8;
      rows[thread] = kTurned ? (k + at.depth + row) * Side::kDepth + at.outer : (at.outer + row) * Side::kOuter + k + at.depth;
    });
    load_matrices<kCount, kTurned>(block, from, rows, into);
  }
  template <typename Right, int kPair, typename B>
  MEDSBENCH_DEVICE static void load_right(Block<kThreads>& block, const B& right, int k, int across,
                                          PerThread<MmaWords, kThreads>& into) {
    load<Right, 2 * kPair>(block, right, k, into, [&](int thread, int matrix) {
      return Place{first_column(thread, across) + matrix / 2 * 8, matrix % 2 * 8};
    });
  }
  PerThread<Own, kThreads> own_;
};

template <typename T, int kThreads, int kRows, int kColumns, int kWarpRows = 0>
using TileOf = std::conditional_t<std::is_same<T, Bf16>::value, MmaTile<kThreads, kRows, kColumns, kWarpRows>,
                                  FmaTile<kThreads, kRows, kColumns, kWarpRows>>;

// Neighbouring numbers to shared memory, at once on a GPU where kAligned: they stand at multiples of their bytes (in rows of
// fp32 tiles they do not, kPad).
template <typename T, int kCount, bool kAligned = std::is_same<T, Bf16>::value, typename Array>
MEDSBENCH_DEVICE void put_pack(Array& to, int at, const Pack<T, kCount>& pack) {
#ifdef __CUDACC__
  constexpr bool kAtOnce = kAligned;
#else
  constexpr bool kAtOnce = false;
#endif
  if constexpr (kAtOnce) {
    store_pack<kCount>(&to[at], pack);
  } else {
    MEDSBENCH_UNROLL
    for (int j = 0; j < kCount; ++j) to[at + j] = pack.values[j];
  }
}

// And from there.
template <int kCount, typename T, bool kAligned = std::is_same<T, Bf16>::value, typename Array>
MEDSBENCH_DEVICE Pack<T, kCount> take_pack(const Array& from, int at) {
#ifdef __CUDACC__
  constexpr bool kAtOnce = kAligned;
#else
  constexpr bool kAtOnce = false;
#endif
  Pack<T, kCount> pack;
  if constexpr (kAtOnce) {
    pack = load_pack<kCount>(&from[at]);
  } else {
    MEDSBENCH_UNROLL
    for (int j = 0; j < kCount; ++j) pack.values[j] = from[at + j];
  }
  return pack;
}

}  // namespace harness::cuda
