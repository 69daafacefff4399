// SoftmaxRows: the softmax of rows of scores that come tile after tile (online softmax, Milakov and Gimelshein 2018; the order
// of FlashAttention-2, Dao 2023, algorithm 1).
//
//   SoftmaxRows<Scores, kThreads> softmax;             Sums: a tile with the rows of Scores in the same threads (tile.h)
//   softmax.clear(block);                              sums.clear(block)
//   for each tile of keys:                             scores = queries keys^T
//     softmax.weigh(block, scores, scale, seen, all, room);
//     softmax.shrink(block, sums);                     sums += weights values, from scores in registers or by shared memory
//   softmax.finish(block, room);
//   of each row: sums / total(thread, index), log_sum(thread, index, scale)
//
// Every thread that holds part of a row holds its largest score, the same bits on each. Sums are in a fixed order: own values,
// tile after tile, then the butterflies of neighbouring threads, then the warps in their order.
#pragma once

#include "harness/cuda/block.h"
#include "harness/cuda/tile.h"

namespace harness::cuda {

// 2^x; on a GPU one instruction, to 2 units in the last place and 0 below 2^-126.
MEDSBENCH_DEVICE float power_of_two(float x) {
#ifdef __CUDACC__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return std::exp2(x);
#endif
}

template <typename Scores, int kThreads>
class SoftmaxRows {
  static constexpr int kRows = Scores::kTileRows, kOwnRows = Scores::kOwnRows, kRowWarps = Scores::kRowWarps;
  static constexpr float kInfinity = 3.0e38f;  // -kInfinity: a score not seen; a true infinity would make NaN of differences
  static constexpr float kLog2OfE = 1.4426950408889634f;

 public:
  // Values of fp32 in shared memory that `weigh` and `finish` take. Of one warp a row they touch none; else a barrier of the
  // block must stand between two of these calls.
  static constexpr int kRoom = kRows * kRowWarps;

  MEDSBENCH_DEVICE void clear(Block<kThreads>& block) {
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int r = 0; r < kOwnRows; ++r) {
        largest_[thread].of[r] = -kInfinity;
        total_[thread].of[r] = 0;
        shrink_[thread].of[r] = 1;
      }
    });
  }

  // Scores s become weights exp(scale s - scale m), m the largest of the row in this and all earlier tiles, and 0 where the row
  // does not see the column: row i sees the first seen(i) columns (none, or fewer than none: no weight). `all`: every row sees
  // every column, and `seen` is not asked; the same for all threads. `scale` > 0. A row that has seen nothing has weights and a
  // total of 0.
  template <typename Seen, typename Room>
  MEDSBENCH_DEVICE void weigh(Block<kThreads>& block, Scores& scores, float scale, const Seen& seen, bool all, Room& room) {
    PerThread<Own, kThreads> largest;
    block.each_own([&](int thread) {
      if (!all) hide(thread, scores, seen);
      Own& own = largest[thread];
      MEDSBENCH_UNROLL
      for (int r = 0; r < kOwnRows; ++r) own.of[r] = largest_[thread].of[r];
      MEDSBENCH_UNROLL
      for (int n = 0; n < Scores::kOwn; ++n) {
        float& most = own.of[Scores::row_index(n)];
        most = fmaxf(most, scores.at(thread, n));
      }
    });
    over_lanes(block, largest,
               [&](PerThread<float, kThreads>& values) { block.template group_max<Scores::kRowLanes>(values); });
    over_warps(block, largest, room, [](float a, float b) { return fmaxf(a, b); });
    block.each_own([&](int thread) {
      const float factor = scale * kLog2OfE;
      float base[kOwnRows];
      MEDSBENCH_UNROLL
      for (int r = 0; r < kOwnRows; ++r) {
        const float most = largest[thread].of[r];
        shrink_[thread].of[r] = power_of_two((largest_[thread].of[r] - most) * factor);
        largest_[thread].of[r] = most;
        base[r] = most == -kInfinity ? 0.0f : most * factor;  // then every score here is -kInfinity, every weight 0
        total_[thread].of[r] *= shrink_[thread].of[r];
      }
      MEDSBENCH_UNROLL
      for (int n = 0; n < Scores::kOwn; ++n) {
        const float weight = power_of_two(scores.at(thread, n) * factor - base[Scores::row_index(n)]);
        scores.at(thread, n) = weight;
        total_[thread].of[Scores::row_index(n)] += weight;
      }
    });
  }

  // Sums of earlier tiles, relative to the largest score before the last `weigh`, become relative to the one after it.
  template <typename Sums>
  MEDSBENCH_DEVICE void shrink(Block<kThreads>& block, Sums& sums) const {
    static_assert(Sums::kTileRows == kRows && Sums::kRowLanes == Scores::kRowLanes && Sums::kRowWarps == kRowWarps,
                  "tiles of other rows in the threads");
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int n = 0; n < Sums::kOwn; ++n) sums.at(thread, n) *= shrink_[thread].of[Sums::row_index(n)];
    });
  }
  // exp(scale (largest before the last `weigh` - largest after it)) of a thread's row `index`.

  // After the last tile: the totals of each thread's own columns become those of the rows.
  template <typename Room>
  MEDSBENCH_DEVICE void finish(Block<kThreads>& block, Room& room) {
    over_lanes(block, total_, [&](PerThread<float, kThreads>& values) { block.template group_sum<Scores::kRowLanes>(values); });
    over_warps(block, total_, room, [](float a, float b) { return a + b; });
  }

  // Of a thread's row `index`: the sum of its weights (after `finish`), and its largest score; -3e38 where it saw none.
  MEDSBENCH_DEVICE float total(int thread, int index) const { return total_[thread].of[index]; }
  MEDSBENCH_DEVICE float largest(int thread, int index) const { return largest_[thread].of[index]; }
  // log sum exp(scale s), after `finish`.
  MEDSBENCH_DEVICE float log_sum(int thread, int index, float scale) const {
    return largest(thread, index) * scale + logf(total(thread, index));
  }

 private:
  struct Own {
    float of[kOwnRows];
  };

  template <typename Seen>
  MEDSBENCH_DEVICE static void hide(int thread, Scores& scores, const Seen& seen) {
    int end[kOwnRows];
    MEDSBENCH_UNROLL
    for (int r = 0; r < kOwnRows; ++r) end[r] = seen(Scores::own_row(thread, r));
    MEDSBENCH_UNROLL
    for (int n = 0; n < Scores::kOwn; ++n) {
      if (Scores::column(thread, n) >= end[Scores::row_index(n)]) scores.at(thread, n) = -kInfinity;
    }
  }

  // Joins the values of a row among the neighbouring threads that hold it.
  template <typename Join>
  MEDSBENCH_DEVICE static void over_lanes(Block<kThreads>& block, PerThread<Own, kThreads>& rows, Join join) {
    MEDSBENCH_UNROLL
    for (int r = 0; r < kOwnRows; ++r) {
      PerThread<float, kThreads> values;
      block.each_own([&](int thread) { values[thread] = rows[thread].of[r]; });
      join(values);
      block.each_own([&](int thread) { rows[thread].of[r] = values[thread]; });
    }
  }
  // And then among the warps that do, in their order.
  template <typename Room, typename Join>
  MEDSBENCH_DEVICE static void over_warps(Block<kThreads>& block, PerThread<Own, kThreads>& rows, Room& room, Join join) {
    if constexpr (kRowWarps > 1) {
      block.each([&](int thread) {
        if (thread % Scores::kRowLanes != 0) return;
        MEDSBENCH_UNROLL
        for (int r = 0; r < kOwnRows; ++r)
          room[Scores::row_warp(thread) * kRows + Scores::own_row(thread, r)] = rows[thread].of[r];
      });
      block.each_own([&](int thread) {
        MEDSBENCH_UNROLL
        for (int r = 0; r < kOwnRows; ++r) {
          const int row = Scores::own_row(thread, r);
          float joined = room[row];
          for (int warp = 1; warp < kRowWarps; ++warp) joined = join(joined, room[warp * kRows + row]);
          rows[thread].of[r] = joined;
        }
      });
    } else {
      (void)block, (void)rows, (void)room, (void)join;
    }
  }

  PerThread<Own, kThreads> largest_, total_, shrink_;
};

}  // namespace harness::cuda
