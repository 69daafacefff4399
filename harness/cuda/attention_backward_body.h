// Bodies of the gradient of attention over packed rows (the backward pass of FlashAttention-2, Dao 2023, without atomics).
//
// With P = exp(scale q k^T - lse) and delta = <dout, out>: dS = P (dout v^T - delta), dv = P^T dout, dk = scale dS^T q,
// dq = scale dS k. Two kernels compute P and dS for themselves: one walks the keys of a tile of queries and keeps dq, the
// other the queries of a tile of keys and keeps dk and dv. Each sum has one owner and a fixed order. In bf16 the tensor cores
// multiply, for which P and dS are rounded to bf16; sums are fp32.
#pragma once

#include "harness/cuda/packed_tiles.h"
#include "harness/cuda/softmax_rows.h"

namespace harness::cuda {

// What both kernels share.
template <typename T, int kDim>
struct BackwardTiles : PackedTiles<T, kDim> {
  using Base = PackedTiles<T, kDim>;
  using Base::depth, Base::kStride, Base::query, Base::row, Base::shape;
  static constexpr int kTile = kDim <= 128 ? 64 : 32;  // attention_tile
  static constexpr int kThreads = kDim <= 64 ? 128 : 256;
  template <int kRows, int kColumns>
  using Sums = TileOf<T, kThreads, kRows, kColumns>;
  using Square = Sums<kTile, kTile>;
  using Staged = typename Base::Staged;
  static constexpr int kWeightStride = kTile + Square::kPad;
  static constexpr int kRowsSize = kTile * kStride, kWeightsSize = kTile * kWeightStride;  // numbers
  static constexpr int kRowsBytes = kRowsSize * static_cast<int>(sizeof(Staged));
  static constexpr int kWeightsBytes = kWeightsSize * static_cast<int>(sizeof(Staged));
  AttentionBackward<T> a;

  BackwardTiles(const AttentionBackward<T>& attention, bool wide_rows) : Base(attention.shape, wide_rows), a(attention) {}

  // Queries first .. first + count - 1: rows of q and dout, the row each stands in (-1: none), lse and delta.
  template <typename Array, typename Rows, typename Numbers>
  MEDSBENCH_DEVICE void stage_queries(Block<kThreads>& block, int thread, int64_t kv, int first, int count,
                                      const Array& queries, const Array& gradients, Rows& row_of, Numbers& lse,
                                      Numbers& delta) const {
    this->template stage<kTile>(block, thread, queries, count, [&](int i) { return a.q + query(first + i, kv) * shape.dim; });
    this->template stage<kTile>(block, thread, gradients, count,
                                [&](int i) { return a.dout + query(first + i, kv) * shape.dim; });
    block.wait_copies(thread);
    if (thread >= kTile) return;
    const bool there = thread < count;
    row_of[thread] = there ? row(first + thread) : -1;
    lse[thread] = there ? a.lse[query(first + thread, kv)] : 0.0f;
    delta[thread] = there ? a.delta[query(first + thread, kv)] : 0.0f;
  }
  template <typename Array>
  MEDSBENCH_DEVICE void stage_keys(Block<kThreads>& block, int thread, int64_t kv, int first, int count, const Array& keys,
                                   const Array& values) const {
    const int64_t stride = shape.kv_heads * shape.dim, at = kv * shape.dim;
    this->template stage<kTile>(block, thread, keys, count, [&](int i) { return a.k + (first + i) * stride + at; });
    this->template stage<kTile>(block, thread, values, count, [&](int i) { return a.v + (first + i) * a.v_stride + at; });
    block.wait_copies(thread);
  }

  // P and dS of a tile of queries against `count` keys from row `first` on; zero where a query does not see a key.
  template <typename Array, typename Rows, typename Numbers>
  MEDSBENCH_DEVICE void weigh(Block<kThreads>& block, const Array& queries, const Array& gradients, const Array& keys,
                              const Array& values, const Rows& row_of, const Numbers& lse, const Numbers& delta, int first,
                              int count, Square& p, Square& ds) const {
    p.clear(block);
    p.template add_product<typename Base::Along, typename Base::Along>(block, queries, keys, depth());
    ds.clear(block);
    ds.template add_product<typename Base::Along, typename Base::Along>(block, gradients, values, depth());
    block.each_own([&](int thread) {
      constexpr float kLog2OfE = 1.4426950408889634f;
      const float factor = a.scale * kLog2OfE;
      float base[Square::kOwnRows], mean[Square::kOwnRows];
      int last[Square::kOwnRows];  // column that a row sees
      MEDSBENCH_UNROLL
      for (int r = 0; r < Square::kOwnRows; ++r) {
        const int i = Square::own_row(thread, r), own = row_of[i] - first;
        last[r] = own < count ? own : count - 1;
        base[r] = lse[i] * kLog2OfE;
        mean[r] = delta[i];
      }
      MEDSBENCH_UNROLL
      for (int n = 0; n < Square::kOwn; ++n) {
        const int r = Square::row_index(n);
        const float all = power_of_two(p.at(thread, n) * factor - base[r]);  // of what is not seen too: no branch
        const float weight = Square::column(thread, n) <= last[r] ? all : 0.0f;
        p.at(thread, n) = weight;
        ds.at(thread, n) = weight * (ds.at(thread, n) - mean[r]);
      }
    });
  }
  // A thread's own sums x factor to a tile in shared memory, whose rows are kRowStride numbers apart.
  template <int kRowStride, typename SumTile, typename Array>
  MEDSBENCH_DEVICE static void put(int thread, SumTile& sums, float factor, const Array& to) {
    constexpr int kNeighbours = SumTile::kNeighbours;
    MEDSBENCH_UNROLL
    for (int n = 0; n < SumTile::kOwn; n += kNeighbours) {
      Pack<Staged, kNeighbours> pack;
      MEDSBENCH_UNROLL
      for (int j = 0; j < kNeighbours; ++j) pack.values[j] = from_float<Staged>(sums.at(thread, n + j) * factor);
      put_pack(to, SumTile::row(thread, n) * kRowStride + SumTile::column(thread, n), pack);
    }
  }
};

// delta = <dout, out>. A block a row, kLanes threads a head; kPack values a thread at once.
template <typename T, int kPack>
struct AttentionDeltaBody {
  static constexpr int kThreads = 128, kLanes = 8, kHeads = kThreads / kLanes;
  AttentionBackward<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    for (int64_t first = 0; first < a.shape.heads; first += kHeads) {
      PerThread<float, kThreads> dots;
      block.each_own([&](int thread) {
        const int64_t head = first + thread / kLanes, at = (block.x * a.shape.heads + head) * a.shape.dim;
        float dot = 0;
        if (head < a.shape.heads) {
          for (int64_t e = int64_t{thread % kLanes} * kPack; e < a.shape.dim; e += kLanes * kPack) {
            const auto x = load_pack<kPack>(a.dout + at + e), y = load_pack<kPack>(a.out + at + e);
            MEDSBENCH_UNROLL
            for (int j = 0; j < kPack; ++j) dot += to_float(x.values[j]) * to_float(y.values[j]);
          }
        }
        dots[thread] = dot;
      });
      block.template group_sum<kLanes>(dots);
      block.each_own([&](int thread) {
        const int64_t head = first + thread / kLanes;
        if (thread % kLanes == 0 && head < a.shape.heads) a.delta[block.x * a.shape.heads + head] = dots[thread];
      });
    }
  }
};

// dq of a tile of queries. Block x: task, y: key-value head.
template <typename T, int kDim>
struct AttentionQueryGradientBody {
  using Tiles = BackwardTiles<T, kDim>;
  using Staged = typename Tiles::Staged;
  static constexpr int kThreads = Tiles::kThreads, kTile = Tiles::kTile;
  static constexpr int kDynamicBytes = 4 * Tiles::kRowsBytes + Tiles::kWeightsBytes;
  Tiles t;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_SHARED_AT(Staged, queries, Tiles::kRowsSize, 0);
    MEDSBENCH_SHARED_AT(Staged, gradients, Tiles::kRowsSize, Tiles::kRowsBytes);
    MEDSBENCH_SHARED_AT(Staged, keys, Tiles::kRowsSize, 2 * Tiles::kRowsBytes);
    MEDSBENCH_SHARED_AT(Staged, values, Tiles::kRowsSize, 3 * Tiles::kRowsBytes);
    MEDSBENCH_SHARED_AT(Staged, weights, Tiles::kWeightsSize, 4 * Tiles::kRowsBytes);
    MEDSBENCH_SHARED(int, row_of, kTile);
    MEDSBENCH_SHARED(float, lse, kTile);
    MEDSBENCH_SHARED(float, delta, kTile);

    const QueryTask task = t.a.query_tasks[block.x];
    const int64_t kv = block.y;
    block.each([&](int thread) {
      t.stage_queries(block, thread, kv, task.first, task.count, queries, gradients, row_of, lse, delta);
    });
    typename Tiles::template Sums<kTile, kDim> dq;
    dq.clear(block);
    for (int segment = 0; segment < 2; ++segment) {
      const int begin = segment == 0 ? task.prefix_row : task.own_row;
      const int end = begin + (segment == 0 ? task.prefix_rows : task.own_rows);
      for (int first = begin; first < end; first += kTile) {
        const int count = end - first < kTile ? end - first : kTile;
        block.each([&](int thread) { t.stage_keys(block, thread, kv, first, count, keys, values); });
        typename Tiles::Square p, ds;
        t.weigh(block, queries, gradients, keys, values, row_of, lse, delta, first, count, p, ds);
        block.each([&](int thread) { Tiles::template put<Tiles::kWeightStride>(thread, ds, 1.0f, weights); });
        dq.template add_product<Layout<Tiles::kWeightStride, 1>, typename Tiles::Across>(block, weights, keys,
                                                                                         Tiles::depth(count));
        block.each([](int) {});
      }
    }
    block.each([&](int thread) { Tiles::template put<Tiles::kStride>(thread, dq, t.a.scale, queries); });
    block.each_own([&](int thread) {
      t.template write<kTile, kThreads>(thread, queries, task.count, [&](int i) {
        const int row = t.row(task.first + i);
        const int64_t head = kv * t.share + (task.first + i - row * t.share);
        return t.a.dq + row * t.a.gradient_stride + head * t.a.shape.dim;
      });
    });
  }
};

// dk and dv of a tile of keys, over one part of the queries that see them. Block x: task, y: key-value head.
template <typename T, int kDim>
struct AttentionKeyGradientBody {
  using Tiles = BackwardTiles<T, kDim>;
  using Staged = typename Tiles::Staged;
  static constexpr int kThreads = Tiles::kThreads, kTile = Tiles::kTile;
  static constexpr int kDynamicBytes = 4 * Tiles::kRowsBytes + 2 * Tiles::kWeightsBytes;
  Tiles t;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_SHARED_AT(Staged, queries, Tiles::kRowsSize, 0);
    MEDSBENCH_SHARED_AT(Staged, gradients, Tiles::kRowsSize, Tiles::kRowsBytes);
    MEDSBENCH_SHARED_AT(Staged, keys, Tiles::kRowsSize, 2 * Tiles::kRowsBytes);
    MEDSBENCH_SHARED_AT(Staged, values, Tiles::kRowsSize, 3 * Tiles::kRowsBytes);
    MEDSBENCH_SHARED_AT(Staged, weights, Tiles::kWeightsSize, 4 * Tiles::kRowsBytes);
    MEDSBENCH_SHARED_AT(Staged, changes, Tiles::kWeightsSize, 4 * Tiles::kRowsBytes + Tiles::kWeightsBytes);
    MEDSBENCH_SHARED(int, row_of, kTile);
    MEDSBENCH_SHARED(float, lse, kTile);
    MEDSBENCH_SHARED(float, delta, kTile);

    const KeyTask task = t.a.key_tasks[block.x];
    const int64_t kv = block.y;
    block.each_own([&](int thread) { t.stage_keys(block, thread, kv, task.first_row, task.rows, keys, values); });
    typename Tiles::template Sums<kTile, kDim> dk, dv;
    dk.clear(block);
    dv.clear(block);
    for (int first = task.first; first < task.first + task.count; first += kTile) {
      const int left = task.first + task.count - first, count = left < kTile ? left : kTile;
      block.each([&](int thread) { t.stage_queries(block, thread, kv, first, count, queries, gradients, row_of, lse, delta); });
      typename Tiles::Square p, ds;
      t.weigh(block, queries, gradients, keys, values, row_of, lse, delta, task.first_row, task.rows, p, ds);
      block.each([&](int thread) {
        Tiles::template put<Tiles::kWeightStride>(thread, p, 1.0f, weights);
        Tiles::template put<Tiles::kWeightStride>(thread, ds, 1.0f, changes);
      });
      using Columns = Layout<1, Tiles::kWeightStride>;  // of P and dS, summed over queries
      dv.template add_product<Columns, typename Tiles::Across>(block, weights, gradients, Tiles::depth(count));
      dk.template add_product<Columns, typename Tiles::Across>(block, changes, queries, Tiles::depth(count));
      block.each([](int) {});
    }
    if (task.part >= 0) {
      float* sums = t.a.part_sums + (task.part * t.a.shape.kv_heads + kv) * 2 * kTile * t.a.shape.dim;
      block.each_own([&](int thread) {
        store_part(thread, task, dk, t.a.scale, sums);
        store_part(thread, task, dv, 1.0f, sums + kTile * t.a.shape.dim);
      });
      return;
    }
    block.each([&](int thread) {
      Tiles::template put<Tiles::kStride>(thread, dk, t.a.scale, queries);
      Tiles::template put<Tiles::kStride>(thread, dv, 1.0f, gradients);
    });
    block.each_own([&](int thread) {
      const int64_t at = task.first_row * t.a.gradient_stride + kv * t.a.shape.dim;
      t.template write<kTile, kThreads>(thread, queries, task.rows,
                                        [&](int j) { return t.a.dk + at + j * t.a.gradient_stride; });
      t.template write<kTile, kThreads>(thread, gradients, task.rows,
                                        [&](int j) { return t.a.dv + at + j * t.a.gradient_stride; });
    });
  }

 private:
  // A thread's own sums x factor to their places in [kTile, E]; E is even, as the neighbours are.
  template <typename SumTile>
  MEDSBENCH_DEVICE void store_part(int thread, const KeyTask& task, SumTile& sums, float factor, float* to) const {
    const int dim = static_cast<int>(t.a.shape.dim);
    MEDSBENCH_UNROLL
    for (int n = 0; n < SumTile::kOwn; n += SumTile::kNeighbours) {
      const int j = SumTile::row(thread, n), e = SumTile::column(thread, n);
      if (j >= task.rows || e >= dim) continue;
      Pack<float, SumTile::kNeighbours> pack;
      MEDSBENCH_UNROLL
      for (int m = 0; m < SumTile::kNeighbours; ++m) pack.values[m] = sums.at(thread, n + m) * factor;
      store_pack(to + j * dim + e, pack);
    }
  }
};

// The parts of a tile of keys in their order. Block x: join, y: key-value head.
template <typename T>
struct AttentionGradientJoinBody {
  static constexpr int kThreads = 256;
  AttentionBackward<T> a;
  int64_t tile = 0;  // attention_tile

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    const KeyJoin join = a.joins[block.x];
    const int64_t dim = a.shape.dim, size = tile * dim, part_size = a.shape.kv_heads * 2 * size;
    const float* first = a.part_sums + join.part * part_size + block.y * 2 * size;
    block.each_own([&](int thread) {
      for (int64_t n = thread; n < join.rows * dim; n += kThreads) {
        float dk = 0, dv = 0;
        for (int64_t part = 0; part < join.parts; ++part) {
          dk += first[part * part_size + n];
          dv += first[part * part_size + size + n];
        }
        const int64_t at = (join.first_row + n / dim) * a.gradient_stride + block.y * dim + n % dim;
        a.dk[at] = from_float<T>(dk);
        a.dv[at] = from_float<T>(dv);
      }
    });
  }
};

}  // namespace harness::cuda
