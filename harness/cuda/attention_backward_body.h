// Bodies of the gradient of attention over packed rows (the backward pass of FlashAttention-2, Dao 2023, without atomics).
//
// With P = exp(scale q k^T - lse) and delta = <dout, out>: dS = P (dout v^T - delta), dv = P^T dout, dk = scale dS^T q,
// dq = scale dS k. Two kernels compute P and dS for themselves: one walks the keys of a tile of queries and keeps dq, the
// other the queries of a tile of keys and keeps dk and dv. Each sum has one owner and a fixed order. In bf16 the tensor cores
// multiply, for which P and dS are rounded to bf16; sums are fp32.
#pragma once

#include "harness/cuda/packed_tiles.h"

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

  BackwardTiles(const AttentionBackward<T>& attention, bool wide_rows)
      : Base(attention.shape, wide_rows), a(attention) {}

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
      MEDSBENCH_UNROLL
      for (int n = 0; n < Square::kOwn; ++n) {
        const int i = Square::row(thread, n), j = Square::column(thread, n);
        const bool seen = j < count && first + j <= row_of[i];
        const float weight = seen ? expf(p.at(thread, n) * a.scale - lse[i]) : 0.0f;
        p.at(thread, n) = weight;
        ds.at(thread, n) = weight * (ds.at(thread, n) - delta[i]);
      }
    });
  }
  // A thread's own sums to a tile in shared memory.
  template <typename Array>
  MEDSBENCH_DEVICE static void put(int thread, Square& sums, const Array& to) {
    MEDSBENCH_UNROLL
    for (int n = 0; n < Square::kOwn; ++n)
      to[Square::row(thread, n) * kWeightStride + Square::column(thread, n)] = from_float<Staged>(sums.at(thread, n));
  }
};

// delta = <dout, out>. A block a row, a warp a head.
template <typename T>
struct AttentionDeltaBody {
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / kWarp;
  AttentionBackward<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    for (int64_t first = 0; first < a.shape.heads; first += kWarps) {
      PerThread<float, kThreads> dots;
      block.each_own([&](int thread) {
        const int64_t head = first + thread / kWarp, at = (block.x * a.shape.heads + head) * a.shape.dim;
        float dot = 0;
        if (head < a.shape.heads) {
          for (int64_t e = thread % kWarp; e < a.shape.dim; e += kWarp)
            dot += to_float(a.dout[at + e]) * to_float(a.out[at + e]);
        }
        dots[thread] = dot;
      });
      block.warp_sum(dots);
      block.each_own([&](int thread) {
        const int64_t head = first + thread / kWarp;
        if (thread % kWarp == 0 && head < a.shape.heads) a.delta[block.x * a.shape.heads + head] = dots[thread];
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
        block.each([&](int thread) { Tiles::put(thread, ds, weights); });
        dq.template add_product<Layout<Tiles::kWeightStride, 1>, typename Tiles::Across>(block, weights, keys,
                                                                                         Tiles::depth(count));
        block.each([](int) {});
      }
    }
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int n = 0; n < decltype(dq)::kOwn; ++n) {
        const int i = decltype(dq)::row(thread, n), e = decltype(dq)::column(thread, n);
        if (i >= task.count || e >= t.a.shape.dim) continue;
        const int row = t.row(task.first + i);
        const int64_t head = kv * t.share + (task.first + i - row * t.share);
        t.a.dq[row * t.a.gradient_stride + head * t.a.shape.dim + e] = from_float<T>(dq.at(thread, n) * t.a.scale);
      }
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
      block.each([&](int thread) {
        t.stage_queries(block, thread, kv, first, count, queries, gradients, row_of, lse, delta);
      });
      typename Tiles::Square p, ds;
      t.weigh(block, queries, gradients, keys, values, row_of, lse, delta, task.first_row, task.rows, p, ds);
      block.each([&](int thread) {
        Tiles::put(thread, p, weights);
        Tiles::put(thread, ds, changes);
      });
      using Columns = Layout<1, Tiles::kWeightStride>;  // of P and dS, summed over queries
      dv.template add_product<Columns, typename Tiles::Across>(block, weights, gradients, Tiles::depth(count));
      dk.template add_product<Columns, typename Tiles::Across>(block, changes, queries, Tiles::depth(count));
      block.each([](int) {});
    }
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int n = 0; n < decltype(dk)::kOwn; ++n) {
        const int j = decltype(dk)::row(thread, n), e = decltype(dk)::column(thread, n);
        if (j < task.rows && e < t.a.shape.dim) write(task, kv, j, e, dk.at(thread, n) * t.a.scale, dv.at(thread, n));
      }
    });
  }

 private:
  MEDSBENCH_DEVICE void write(const KeyTask& task, int64_t kv, int j, int e, float dk, float dv) const {
    const int64_t dim = t.a.shape.dim;
    if (task.part < 0) {
      const int64_t at = (task.first_row + j) * t.a.gradient_stride + kv * dim + e;
      t.a.dk[at] = from_float<T>(dk);
      t.a.dv[at] = from_float<T>(dv);
    } else {
      float* sums = t.a.part_sums + (task.part * t.a.shape.kv_heads + kv) * 2 * kTile * dim + j * dim + e;
      sums[0] = dk;
      sums[kTile * dim] = dv;
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
