// LogitRow: the statistics of a row of logits, by which tokens are drawn and log-probs, entropies and gradients are taken.
//
// A warp takes tiles of 1024 logits, holds each in registers and leaves its maximum, sum of exponentials and first moment; the
// tiles are joined in their order. So the logits are read once. Where rows are few, their tiles are shared by blocks, which
// leave those sums in a workspace.
#pragma once

#include "harness/cuda/block.h"
#include "harness/cuda/kernels.h"

namespace harness::cuda {

inline constexpr int kLogitThreads = 256;
inline constexpr int kTilesAtOnce = kLogitThreads / kWarp;  // of a block
inline constexpr int kMostTiles = static_cast<int>(kLargestVocabulary / kLogitTile);

// Shared memory of one temperature: of tile i, then of all (index kMostTiles).
using TileArray = SharedArray<float, kMostTiles + 1>;
struct TileSums {
  TileArray &max, &sum, &moment;
};
#define MEDSBENCH_TILE_SUMS(name)                         \
  MEDSBENCH_SHARED(float, name##_max, kMostTiles + 1);    \
  MEDSBENCH_SHARED(float, name##_sum, kMostTiles + 1);    \
  MEDSBENCH_SHARED(float, name##_moment, kMostTiles + 1); \
  const TileSums name { name##_max, name##_sum, name##_moment }

template <typename T, bool kAligned>
class LogitRow {
  static constexpr int kHeld = kLogitTile / kWarp;  // logits of a tile that a thread holds
  static constexpr int kPack = 8;
  static_assert(kMostTiles <= kLogitThreads);
  // Beyond the end of the row: its exponential is 0 beside any logit, and its product with an inverse temperature finite.
  static constexpr float kLowest = -1.0e30f;

 public:
  struct Held {
    float values[kHeld];
  };
  using Values = PerThread<float, kLogitThreads>;
  using Tile = PerThread<Held, kLogitThreads>;

  MEDSBENCH_DEVICE LogitRow(const T* logits, int64_t vocabulary) : logits_(logits), vocabulary_(vocabulary) {}
  MEDSBENCH_DEVICE int tiles() const { return static_cast<int>((vocabulary_ + kLogitTile - 1) / kLogitTile); }
  // Index of the j-th logit that a lane holds of a tile.
  MEDSBENCH_DEVICE static int64_t index(int tile, int lane, int j) {
    return int64_t{tile} * kLogitTile + j / kPack * (kWarp * kPack) + lane * kPack + j % kPack;
  }

  MEDSBENCH_DEVICE void load(int tile, int lane, Held& held) const {
    if (kAligned && (int64_t{tile} + 1) * kLogitTile <= vocabulary_) {  // all at once; the same for the warp
      Pack<T, kPack> packs[kHeld / kPack];
      MEDSBENCH_UNROLL
      for (int m = 0; m < kHeld / kPack; ++m) packs[m] = load_pack<kPack>(logits_ + index(tile, lane, m * kPack));
      MEDSBENCH_UNROLL
      for (int j = 0; j < kHeld; ++j) held.values[j] = to_float(packs[j / kPack].values[j % kPack]);
      return;
    }
    MEDSBENCH_UNROLL
    for (int j = 0; j < kHeld; j += kPack) {
      const int64_t i = index(tile, lane, j);
      if (kAligned && i + kPack <= vocabulary_) {
        const auto pack = load_pack<kPack>(logits_ + i);
        for (int p = 0; p < kPack; ++p) held.values[j + p] = to_float(pack.values[p]);
      } else {
        for (int p = 0; p < kPack; ++p) held.values[j + p] = i + p < vocabulary_ ? to_float(logits_[i + p]) : kLowest;
      }
    }
  }

  // Fills the sums of all tiles at one inverse temperature, or at `two`, then joins them.
  MEDSBENCH_DEVICE void statistics(Block<kLogitThreads>& block, float inverse, const TileSums& sums, bool two,
                                   float other_inverse, const TileSums& others) const {
    for (int first = 0; first < tiles(); first += kTilesAtOnce) {
      each_tile(block, first, inverse, two, other_inverse, [&](bool other, int tile, float max, float sum, float moment) {
        if (other) {
          put(others, tile, max, sum, moment);
        } else {
          put(sums, tile, max, sum, moment);
        }
      });
    }
    block.each([](int) {});
    join(block, sums);
    if (two) join(block, others);
  }
  MEDSBENCH_DEVICE void statistics(Block<kLogitThreads>& block, float inverse, const TileSums& sums) const {
    statistics(block, inverse, sums, false, inverse, sums);
  }
  // The same from `stored` [kTileSums, tiles], where `store` left the tiles.
  MEDSBENCH_DEVICE void statistics(Block<kLogitThreads>& block, const float* stored, const TileSums& sums, bool two,
                                   const TileSums& others) const {
    block.each([&](int thread) {
      if (thread >= tiles()) return;
      const float *of = stored + thread, *of_others = of + 3 * tiles();
      put(sums, thread, of[0], of[tiles()], of[2 * tiles()]);
      if (two) put(others, thread, of_others[0], of_others[tiles()], of_others[2 * tiles()]);
    });
    join(block, sums);
    if (two) join(block, others);
  }
  MEDSBENCH_DEVICE void store(Block<kLogitThreads>& block, int first, float inverse, bool two, float other_inverse,
                              float* stored) const {
    each_tile(block, first, inverse, two, other_inverse, [&](bool other, int tile, float max, float sum, float moment) {
      float* of = stored + (other ? 3 * tiles() : 0) + tile;
      of[0] = max;
      of[tiles()] = sum;
      of[2 * tiles()] = moment;
    });
  }

 private:
  MEDSBENCH_DEVICE static void put(const TileSums& sums, int tile, float max, float sum, float moment) {
    sums.max[tile] = max;
    sums.sum[tile] = sum;
    sums.moment[tile] = moment;
  }
  // Tiles first .. first + kTilesAtOnce - 1, a warp each: one thread calls put_tile(of the second temperature?, tile, maximum,
  // sum, moment).
  template <typename Put>
  MEDSBENCH_DEVICE void each_tile(Block<kLogitThreads>& block, int first, float inverse, bool two, float other_inverse,
                                  const Put& put_tile) const {
    Tile held;
    Values best;
    block.each_own([&](int thread) {
      const int tile = first + thread / kWarp;
      best[thread] = kLowest;
      if (tile >= tiles()) return;
      load(tile, thread % kWarp, held[thread]);
      MEDSBENCH_UNROLL
      for (int j = 0; j < kHeld; ++j) best[thread] = fmaxf(best[thread], held[thread].values[j]);
    });
    block.warp_max(best);
    tile_sums(block, first, held, best, inverse, false, put_tile);
    if (two) tile_sums(block, first, held, best, other_inverse, true, put_tile);
  }
  template <typename Put>
  MEDSBENCH_DEVICE void tile_sums(Block<kLogitThreads>& block, int first, const Tile& held, const Values& best, float inverse,
                                  bool other, const Put& put_tile) const {
    Values sum, moment;
    block.each_own([&](int thread) {
      sum[thread] = 0;
      moment[thread] = 0;
      const int tile = first + thread / kWarp;
      if (tile >= tiles()) return;
      const float max = best[thread] * inverse;
      MEDSBENCH_UNROLL
      for (int j = 0; j < kHeld; ++j) {
        const float d = held[thread].values[j] * inverse - max, e = expf(d);
        sum[thread] += e;
        moment[thread] += e * d;
      }
    });
    block.warp_sum(sum);
    block.warp_sum(moment);
    block.each_own([&](int thread) {
      const int tile = first + thread / kWarp;
      if (thread % kWarp != 0 || tile >= tiles()) return;
      put_tile(other, tile, best[thread] * inverse, sum[thread], moment[thread]);
    });
  }

  // Brings every tile to the maximum of all and adds them up: sum' = s sum, moment' = s (moment + ln(s) sum).
  MEDSBENCH_DEVICE void join(Block<kLogitThreads>& block, const TileSums& sums) const {
    Values value;
    block.each_own([&](int thread) { value[thread] = thread < tiles() ? sums.max[thread] : kLowest; });
    const float max = block.max(value);
    Values moment;
    block.each_own([&](int thread) {
      value[thread] = 0;
      moment[thread] = 0;
      if (thread >= tiles()) return;
      const float shift = sums.max[thread] - max, scale = expf(shift);
      moment[thread] = scale * (sums.moment[thread] + shift * sums.sum[thread]);
      value[thread] = scale * sums.sum[thread];
      sums.sum[thread] = value[thread];
    });
    const float sum = block.sum(value), all_moment = block.sum(moment);
    block.each([&](int thread) {
      if (thread != 0) return;
      sums.max[kMostTiles] = max;
      sums.sum[kMostTiles] = sum;
      sums.moment[kMostTiles] = all_moment;
    });
  }

  const T* logits_;
  int64_t vocabulary_;
};

// Of the joined sums: log-prob of a token with scaled logit z, and entropy, in nats.
MEDSBENCH_DEVICE float joined_log_prob(const TileSums& sums, float z) {
  return z - sums.max[kMostTiles] - logf(sums.sum[kMostTiles]);
}
MEDSBENCH_DEVICE float joined_entropy(const TileSums& sums) {
  return logf(sums.sum[kMostTiles]) - sums.moment[kMostTiles] / sums.sum[kMostTiles];
}

}  // namespace harness::cuda
