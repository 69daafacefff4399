// Body of attention over packed rows (the forward pass of FlashAttention-2, Dao 2023): a block walks all keys of its queries.
//
// While scores are multiplied the values of the tile of keys come to shared memory, and while those are summed the next keys.
// In bf16 a warp has whole rows of scores, so that weights go to the second product in registers.
#pragma once

#include "harness/cuda/packed_tiles.h"
#include "harness/cuda/softmax_rows.h"

namespace harness::cuda {

// Block x: task, y: key-value head.
template <typename T, int kDim>
struct AttentionForwardBody {
  using Tiles = PackedTiles<T, kDim>;
  static constexpr bool kTensorCores = std::is_same<T, Bf16>::value;
  static constexpr int kThreads = 128, kWarpRows = 4;
  static constexpr int kQueries = kDim <= 128 ? 128 : 64, kKeys = 64;  // packed_attention_tile
  using Scores = TileOf<T, kThreads, kQueries, kKeys, kWarpRows>;
  using Sums = TileOf<T, kThreads, kQueries, kDim, kWarpRows>;
  static constexpr int kWeightStride = kKeys + Scores::kPad;
  static constexpr int kQuerySize = kQueries * Tiles::kStride, kKeySize = kKeys * Tiles::kStride;  // numbers
  static constexpr int kWeightSize = kTensorCores ? 8 : kQueries * kWeightStride;                  // unused beside tensor cores
  static constexpr int kKeysAt = kQuerySize * static_cast<int>(sizeof(T)),
                       kValuesAt = kKeysAt + kKeySize * static_cast<int>(sizeof(T)),
                       kWeightsAt = kValuesAt + kKeySize * static_cast<int>(sizeof(T)),
                       kDynamicBytes = kWeightsAt + kWeightSize * static_cast<int>(sizeof(T));
  PackedAttention<T> a;
  Tiles t;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_SHARED_AT(T, queries, kQuerySize, 0);
    MEDSBENCH_SHARED_AT(T, keys, kKeySize, kKeysAt);
    MEDSBENCH_SHARED_AT(T, values, kKeySize, kValuesAt);
    MEDSBENCH_SHARED_AT(T, weights, kWeightSize, kWeightsAt);
    MEDSBENCH_SHARED(int, row_of, kQueries);

    const QueryTask& task = a.tasks[block.x];  // read anew where it is used
    const int64_t kv = block.y;
    const int tiles = tile_count(task.prefix_rows) + tile_count(task.own_rows);
    block.each_own([&](int thread) {
      t.template stage<kQueries>(block, thread, queries, task.count,
                                 [&](int i) { return a.q + t.query(task.first + i, kv) * a.shape.dim; });
      for (int i = thread; i < kQueries; i += kThreads) row_of[i] = i < task.count ? t.row(task.first + i) : -1;
      if (tiles > 0) stage_keys(block, thread, kv, tile_of(task, 0), keys);
    });
    SoftmaxRows<Scores, kThreads> softmax;
    Sums sums;
    softmax.clear(block);
    sums.clear(block);
    for (int n = 0; n < tiles; ++n) {
      block.each([&](int thread) { block.wait_copies(thread); });  // keys are there, and all are done with the last values
      block.each_own([&](int thread) { stage_values(block, thread, kv, tile_of(task, n), values); });
      Scores scores;
      scores.clear(block);
      scores.template add_product<typename Tiles::Along, typename Tiles::Along>(block, queries, keys, t.depth());
      block.each([&](int thread) { block.wait_copies(thread); });  // values are there, and all are done with these keys
      if (n + 1 < tiles) block.each_own([&](int thread) { stage_keys(block, thread, kv, tile_of(task, n + 1), keys); });
      const KeyTile tile = tile_of(task, n);  // known again only here: registers are dear
      const auto seen = [&](int i) {
        const int end = row_of[i] + 1 - tile.first;
        return end < tile.count ? end : tile.count;
      };
      softmax.weigh(block, scores, a.scale, seen, tile.count == kKeys && tile.first + kKeys - 1 <= t.row(task.first), row_of);
      softmax.shrink(block, sums);
      add_values(block, scores, weights, values, tile.count, sums);
    }
    softmax.finish(block, row_of);
    block.each([&](int thread) { block.wait_copies(thread); });
    write(block, task, kv, softmax, sums, queries);
  }

 private:
  struct KeyTile {
    int first, count;  // rows
  };
  MEDSBENCH_DEVICE static int tile_count(int rows) { return (rows + kKeys - 1) / kKeys; }
  // The nth: tiles of the prefix, then of the task's own sequence.
  MEDSBENCH_DEVICE static KeyTile tile_of(const QueryTask& task, int n) {
    const int before = tile_count(task.prefix_rows);
    const bool own = n >= before;
    const int begin = (own ? n - before : n) * kKeys, left = (own ? task.own_rows : task.prefix_rows) - begin;
    return {(own ? task.own_row : task.prefix_row) + begin, left < kKeys ? left : kKeys};
  }
  template <typename Array>
  MEDSBENCH_DEVICE void stage_keys(Block<kThreads>& block, int thread, int64_t kv, const KeyTile& tile, const Array& to) const {
    const T* from = a.k + (tile.first * a.shape.kv_heads + kv) * a.shape.dim;
    t.template stage<kKeys>(block, thread, to, tile.count, [&](int i) { return from + i * a.shape.kv_heads * a.shape.dim; });
  }
  template <typename Array>
  MEDSBENCH_DEVICE void stage_values(Block<kThreads>& block, int thread, int64_t kv, const KeyTile& tile,
                                     const Array& to) const {
    const T* from = a.v + tile.first * a.v_stride + kv * a.shape.dim;
    t.template stage<kKeys>(block, thread, to, tile.count, [&](int i) { return from + i * a.v_stride; });
  }

  // sums += weights values, the weights in the place of the scores; in fp32 through `weights`, where a warp reads its own rows.
  template <typename Room, typename Array>
  MEDSBENCH_DEVICE static void add_values(Block<kThreads>& block, Scores& scores, const Room& weights, const Array& values,
                                          int count, Sums& sums) {
    if constexpr (kTensorCores) {
      sums.template add_product_of<typename Tiles::Across>(block, scores, values, Tiles::depth(count));
    } else {
      block.each_own([&](int thread) {
        MEDSBENCH_UNROLL
        for (int n = 0; n < Scores::kOwn; ++n)
          weights[Scores::row(thread, n) * kWeightStride + Scores::column(thread, n)] = scores.at(thread, n);
      });
      block.warp_barrier();
      sums.template add_product<Layout<kWeightStride, 1>, typename Tiles::Across>(block, weights, values, Tiles::depth(count));
      block.warp_barrier();
    }
  }

  // out = sums / total and lse; through the queries' place, so that rows are written at once.
  template <typename Array>
  MEDSBENCH_DEVICE void write(Block<kThreads>& block, const QueryTask& task, int64_t kv, SoftmaxRows<Scores, kThreads>& softmax,
                              Sums& sums, const Array& room) const {
    const bool sees = task.own_rows > 0;
    block.each([&](int thread) {
      float inverse[Sums::kOwnRows];
      MEDSBENCH_UNROLL
      for (int r = 0; r < Sums::kOwnRows; ++r) {
        inverse[r] = sees ? 1.0f / softmax.total(thread, r) : 0.0f;
        const int i = Sums::own_row(thread, r);
        if (a.lse != nullptr && thread % Sums::kRowLanes == 0 && i < task.count)
          a.lse[t.query(task.first + i, kv)] = sees ? softmax.log_sum(thread, r, a.scale) : 0.0f;
      }
      MEDSBENCH_UNROLL
      for (int n = 0; n < Sums::kOwn; n += Sums::kNeighbours) {
        Pack<T, Sums::kNeighbours> pack;
        MEDSBENCH_UNROLL
        for (int j = 0; j < Sums::kNeighbours; ++j)
          pack.values[j] = from_float<T>(sums.at(thread, n + j) * inverse[Sums::row_index(n)]);
        put_pack(room, Sums::row(thread, n) * Tiles::kStride + Sums::column(thread, n), pack);
      }
    });
    block.each_own([&](int thread) {
      t.template write<kQueries, kThreads>(thread, room, task.count,
                                           [&](int i) { return a.out + t.query(task.first + i, kv) * a.shape.dim; });
    });
  }
};

}  // namespace harness::cuda
