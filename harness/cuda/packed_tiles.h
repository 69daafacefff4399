// PackedTiles: tiles of packed rows in shared memory, as attention and its gradient take them.
#pragma once

#include "harness/cuda/block.h"
#include "harness/cuda/kernels.h"
#include "harness/cuda/tile.h"

namespace harness::cuda {

// kDim is the head dimension rounded up to 64, 128 or 256.
template <typename T, int kDim>
struct PackedTiles {
  using Staged = T;
  static constexpr int kPad = TileOf<T, 128, 64, 64>::kPad, kStride = kDim + kPad;
  using Along = Layout<kStride, 1>;   // rows of a staged tensor, summed over the head dimension
  using Across = Layout<1, kStride>;  // its columns, summed over its rows
  Heads shape;
  bool wide;            // rows may be read and written 16 bytes at once
  int share;            // query heads of a key-value head, at most 16
  uint64_t reciprocal;  // 2^32 / share, rounded down, + 1

  PackedTiles(const Heads& heads, bool wide_rows)
      : shape(heads),
        wide(wide_rows),
        share(static_cast<int>(heads.heads / heads.kv_heads)),
        reciprocal((uint64_t{1} << 32) / static_cast<uint64_t>(share) + 1) {}

  // Row of query n: n / share. n reciprocal / 2^32 is too large by at most n / 2^32, which is less than 1 / share below 2^28.
  MEDSBENCH_DEVICE int row(int n) const { return static_cast<int>((static_cast<uint64_t>(n) * reciprocal) >> 32); }
  // Element (row, head) of [R, H] of query n of a key-value head.
  MEDSBENCH_DEVICE int64_t query(int n, int64_t kv) const {
    return int64_t{row(n)} * shape.heads + kv * share + (n - row(n) * share);
  }
  // Sums over the head dimension and over rows end at the zeros beyond.
  MEDSBENCH_DEVICE int depth() const { return (static_cast<int>(shape.dim) + 15) / 16 * 16; }
  MEDSBENCH_DEVICE static int depth(int rows) { return (rows + 15) / 16 * 16; }

  // Begins to stage kRows rows, of which `rows` >= 1 are there, row i from place(i) on; zeros beyond them and beyond the head
  // dimension. They stand in `to` after Block::wait_copies.
  template <int kRows, int kThreads, typename Array, typename Place>
  MEDSBENCH_DEVICE void stage(Block<kThreads>& block, int thread, const Array& to, int rows, Place place) const {
    constexpr int kPack = static_cast<int>(16 / sizeof(T)), kPacks = kDim / kPack;
    const int dim = static_cast<int>(shape.dim);
    static_assert(kRows * kPacks % kThreads == 0);
    if constexpr (std::is_same<T, Bf16>::value) {
      if (wide) {
        for (int step = 0; step < kRows * kPacks / kThreads; ++step) {
          const int n = thread + step * kThreads, i = n / kPacks, e = n % kPacks * kPack;
          const bool there = (i < rows) & (e < dim);
          block.template start_copy<kPack>(thread, to, i * kStride + e, there ? place(i) + e : place(0), there);
        }
        return;
      }
    }
    for (int step = 0; step < kRows * kPacks / kThreads; ++step) {
      const int n = thread + step * kThreads, i = n / kPacks, e = n % kPacks * kPack, at = i * kStride + e;
      const bool there = i < rows && e < dim;
      Pack<T, kPack> values = {};
      if (there) {
        const T* from = place(i) + e;
        if (wide) {
          values = load_pack<kPack>(from);
        } else {
          for (int j = 0; j < kPack; ++j) {
            if (e + j < dim) values.values[j] = from[j];
          }
        }
      }
      put_pack(to, at, values);
    }
  }
  // Writes `rows` staged rows, row i to place(i).
  template <int kRows, int kThreads, typename Array, typename Place>
  MEDSBENCH_DEVICE void write(int thread, const Array& from, int rows, Place place) const {
    constexpr int kPack = static_cast<int>(16 / sizeof(T)), kPacks = kDim / kPack;
    const int dim = static_cast<int>(shape.dim);
    static_assert(kRows * kPacks % kThreads == 0);
    for (int step = 0; step < kRows * kPacks / kThreads; ++step) {
      const int n = thread + step * kThreads, i = n / kPacks, e = n % kPacks * kPack;
      if (i >= rows || e >= dim) continue;
      const Pack<T, kPack> values = take_pack<kPack, T>(from, i * kStride + e);
      T* to = place(i) + e;
      if (wide) {
        store_pack(to, values);
      } else {
        for (int j = 0; j < kPack; ++j) {
          if (e + j < dim) to[j] = values.values[j];
        }
      }
    }
  }
};

}  // namespace harness::cuda
