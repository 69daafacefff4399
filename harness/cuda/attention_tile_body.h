// Body of softmax attention over stored keys and values in bf16, by the tensor cores: parts of fixed length (attention_body.h).
//
// 16 queries at a time against the positions of a part. Of every 64 positions warp w takes the 16 from 16 w on and keeps a
// softmax of its own (FlashAttention-2, Dao 2023); the four are joined at the end, in their order. So warps do not wait for one
// another, and the order in which a query adds positions depends on the positions alone: not on the queries beside it, and not
// on how tasks are cut.
//
// A part is read once and multiplied little: what counts is how much of it is on its way at a time. Nothing of it goes through
// shared memory. A product may take the head dimension, and name the columns of the output, in any order: it takes them so that
// what a thread needs (tile.h, add_mma) are packs of 16 bytes, which it reads itself. In a warp, thread 4 r + q has
//   of queries r and r + 8:                     values 32 c + 8 q .. + 7 for all c
//   of keys r and r + 8 of 16:                  the same
//   of values 2 q, 2 q + 1, 2 q + 8, 2 q + 9:   columns 64 g + 8 r .. + 7 for all g
//   of the scores and the output:               rows r and r + 8, columns 64 g + 16 q .. + 15 of the output
// Weights are rounded to bf16 for their product with the values; their sum is not. Sums are fp32.
#pragma once

#include "harness/cuda/attention_body.h"
#include "harness/cuda/softmax_rows.h"
#include "harness/cuda/tile.h"

namespace harness::cuda {

// Sums of kProducts products [16, 8] of each warp, which has 16 rows of its own.
template <int kThreads, int kProducts>
class WarpTile {
 public:
  static constexpr int kTileRows = kThreads / kWarp * 16, kRowLanes = 4, kRowWarps = 1;
  static constexpr int kOwnRows = 2, kOwn = kProducts * 4;

  MEDSBENCH_DEVICE static constexpr int row_index(int n) { return n % 4 / 2; }
  MEDSBENCH_DEVICE static int own_row(int thread, int index) { return thread / kWarp * 16 + thread % kWarp / 4 + index * 8; }
  MEDSBENCH_DEVICE float& at(int thread, int n) { return own_[thread].of[n]; }

  MEDSBENCH_DEVICE void clear(Block<kThreads>& block) {
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int n = 0; n < kOwn; ++n) own_[thread].of[n] = 0;
    });
  }
  template <int kRight>
  MEDSBENCH_DEVICE void add(int product, const PerThread<MmaWords, kThreads>& left,
                            const PerThread<MmaWords, kThreads>& right) {
    add_mma<kRight>(own_, product * 4, left, right);
  }

 private:
  struct Own {
    float of[kOwn];
  };
  PerThread<Own, kThreads> own_;
};

// Block x: task, y: key-value head and, where registers do not hold a whole output, which 128 columns of it. kDim: the head
// dimension rounded up to 64, 128 or 256; kWide: it is a multiple of 8.
template <int kDim, bool kWide>
struct AttentionTileBody {
  static constexpr int kThreads = 128, kWarps = kThreads / kWarp;
  static constexpr int kQueries = 16, kOwnPositions = 16, kPositions = kWarps * kOwnPositions;
  static constexpr int kColumns = kDim <= 128 ? kDim : 128, kBlocksOfHead = kDim / kColumns;
  static constexpr int kSpans = kDim <= 64 ? 2 : 1;  // of kPositions, whose keys and values are on their way together
  static constexpr bool kTogether = kDim <= 128;     // all of their keys and values; else registers hold a part of either
  static constexpr int kPieces = kDim / 32, kGroups = kColumns / 64;
  static constexpr int kStride = 64 + 8;  // of output rows in shared memory
  using Words = PerThread<MmaWords, kThreads>;
  struct Scores : WarpTile<kThreads, kSpans * 2> {
    MEDSBENCH_DEVICE static int column(int thread, int n) {
      return n / 8 * kPositions + thread / kWarp * kOwnPositions + n / 4 % 2 * 8 + thread % 4 * 2 + n % 2;
    }
  };
  using Output = WarpTile<kThreads, kColumns / 8>;
  using Softmax = SoftmaxRows<Scores, kThreads>;
  struct Part {
    AttentionTask task;
    const Bf16 *keys, *values;
    int64_t stride;  // numbers from one position to the next
    int kv, dim, share, end, column;
  };
  Attention<Bf16> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_SHARED(float, largest, kWarps* kQueries);
    MEDSBENCH_SHARED(float, total, kWarps* kQueries);
    MEDSBENCH_SHARED(float, sums, kWarps* kQueries* kStride);
    const AttentionTask task = a.tasks[block.x];
    if (task.rows == 0) return;
    const Part part = part_of(task, static_cast<int>(block.y) / kBlocksOfHead, static_cast<int>(block.y) % kBlocksOfHead);
    for (int first = 0; first < task.rows * part.share; first += kQueries) {
      Softmax softmax;
      Output out;
      softmax.clear(block);
      out.clear(block);
      walk(block, part, first, softmax, out);
      softmax.finish(block, largest);
      block.each_own([&](int thread) {
        if (thread % 4 != 0) return;
        MEDSBENCH_UNROLL
        for (int i = 0; i < 2; ++i) {
          largest[Scores::own_row(thread, i)] = softmax.largest(thread, i);
          total[Scores::own_row(thread, i)] = softmax.total(thread, i);
        }
      });
      MEDSBENCH_UNROLL
      for (int group = 0; group < kGroups; ++group) {
        block.each([&](int thread) { put(thread, out, group, sums); });
        block.each([&](int thread) { write(thread, part, first, group, largest, total, sums); });
      }
    }
  }

 private:
  MEDSBENCH_DEVICE Part part_of(const AttentionTask& task, int kv, int columns) const {
    const uint64_t deeper = static_cast<uint64_t>(a.layer) * task.layer_bytes;
    const int dim = static_cast<int>(a.shape.dim), longest = task.count + (task.rows - 1) * task.step;
    return {task,
            reinterpret_cast<const Bf16*>(task.keys + deeper) + kv * dim,
            reinterpret_cast<const Bf16*>(task.values + deeper) + kv * dim,
            a.shape.kv_heads * a.shape.dim,
            kv,
            dim,
            static_cast<int>(a.shape.heads / a.shape.kv_heads),
            longest < task.begin + kAttentionChunk ? longest : task.begin + kAttentionChunk,
            columns * kColumns};
  }
  // Numbers e .. e + 7 of a row as words; beyond its end zeros, or where kWide any of the row. Nothing writes queries, keys or
  // values while the kernel runs: on a GPU they come by the path for what is only read, which also says that an address from a
  // task is one of global memory.
  MEDSBENCH_DEVICE static MmaWords load(const Bf16* row, int e, int dim) {
    MmaWords out = {};
    if constexpr (kWide) {
      const Bf16* from = row + (e < dim ? e : 0);
      check_alignment<Pack<Bf16, 8>>(from);
#ifdef __CUDACC__
      const uint4 words = __ldg(reinterpret_cast<const uint4*>(from));
      out = {{words.x, words.y, words.z, words.w}};
#else
      std::memcpy(&out, from, sizeof out);
#endif
    } else {
      MEDSBENCH_UNROLL
      for (int i = 0; i < 8; ++i) {
        if (e + i < dim) out.words[i / 2] |= static_cast<uint32_t>(number(row + e + i)) << (16 * (i % 2));
      }
    }
    return out;
  }
  MEDSBENCH_DEVICE static uint16_t number(const Bf16* at) {
#ifdef __CUDACC__
    return __ldg(reinterpret_cast<const uint16_t*>(at));
#else
    return at->bits;
#endif
  }
  // Where the position of a thread's warp begins, and a position or query of the part: beyond its end the last one, which gets
  // no weight or is not written. A branch before a load would let later loads wait for earlier ones.
  MEDSBENCH_DEVICE static int position(int thread, int tile, int span) {
    return tile + span * kPositions + thread / kWarp * kOwnPositions;
  }
  MEDSBENCH_DEVICE static int within(int n, int count) { return n < count ? n : count - 1; }

  // Piece of 32 values of queries first .. first + 15, zeros beyond the head dimension: the left sides of two products.
  MEDSBENCH_DEVICE void load_queries(int thread, const Part& part, int first, int piece, Words (&queries)[2]) const {
    const int row = first + thread % kWarp / 4, e = piece * 32 + thread % 4 * 8, count = part.task.rows * part.share;
    MmaWords of[2];
    MEDSBENCH_UNROLL
    for (int i = 0; i < 2; ++i) {
      of[i] = load(a.q + query_index(a, part.task, within(row + i * 8, count), part.kv, part.share) * part.dim, e, part.dim);
      MEDSBENCH_UNROLL
      for (int j = 0; j < 4; ++j) of[i].words[j] = e < part.dim ? of[i].words[j] : 0;
    }
    MEDSBENCH_UNROLL
    for (int k = 0; k < 2; ++k)
      queries[k][thread] = {{of[0].words[k * 2], of[1].words[k * 2], of[0].words[k * 2 + 1], of[1].words[k * 2 + 1]}};
  }
  MEDSBENCH_DEVICE static void load_keys(int thread, const Part& part, int tile, int piece, Words (&keys)[kSpans * 2]) {
    MEDSBENCH_UNROLL
    for (int n = 0; n < kSpans * 2; ++n) {
      const int at = within(position(thread, tile, n / 2) + n % 2 * 8 + thread % kWarp / 4, part.end);
      keys[n][thread] = load(part.keys + at * part.stride, piece * 32 + thread % 4 * 8, part.dim);
    }
  }
  MEDSBENCH_DEVICE static void load_values(int thread, const Part& part, int tile, int group, Words (&values)[kSpans][4]) {
    MEDSBENCH_UNROLL
    for (int n = 0; n < kSpans * 4; ++n) {
      const int at = within(position(thread, tile, n / 4) + thread % 4 * 2 + n % 2 + n % 4 / 2 * 8, part.end);
      values[n / 4][n % 4][thread] =
          load(part.values + at * part.stride, part.column + group * 64 + thread % kWarp / 4 * 8, part.dim);
    }
  }

  MEDSBENCH_DEVICE void walk(Block<kThreads>& block, const Part& part, int first, Softmax& softmax, Output& out) const {
    constexpr int kHeldPieces = kTogether ? kPieces : 1, kHeldGroups = kTogether ? kGroups : 1;
    Words queries[kHeldPieces][2], keys[kHeldPieces][kSpans * 2], values[kHeldGroups][kSpans][4];
    if constexpr (kTogether) {
      block.each_own([&](int thread) {
        MEDSBENCH_UNROLL
        for (int piece = 0; piece < kPieces; ++piece) load_queries(thread, part, first, piece, queries[piece]);
      });
    }
    const AttentionTask& task = part.task;
    for (int tile = task.begin; tile < part.end; tile += kSpans * kPositions) {
      Scores scores;
      scores.clear(block);
      const auto add_piece = [&](int held) {
        MEDSBENCH_UNROLL
        for (int n = 0; n < kSpans * 2; ++n) {
          scores.template add<0>(n, queries[held][0], keys[held][n]);
          scores.template add<2>(n, queries[held][1], keys[held][n]);
        }
      };
      if constexpr (kTogether) {
        block.each_own([&](int thread) {
          MEDSBENCH_UNROLL
          for (int piece = 0; piece < kPieces; ++piece) load_keys(thread, part, tile, piece, keys[piece]);
          MEDSBENCH_UNROLL
          for (int group = 0; group < kGroups; ++group) load_values(thread, part, tile, group, values[group]);
        });
        MEDSBENCH_UNROLL
        for (int piece = 0; piece < kPieces; ++piece) add_piece(piece);
      } else {
        MEDSBENCH_ROLLED
        for (int piece = 0; piece < kPieces; ++piece) {
          block.each_own([&](int thread) {
            load_queries(thread, part, first, piece, queries[0]);
            load_keys(thread, part, tile, piece, keys[0]);
          });
          add_piece(0);
        }
      }
      const auto seen = [&](int row) {
        return task.count - tile + (task.step == 0 ? 0 : (first + row % kQueries) / part.share * task.step);
      };
      float unused = 0;
      softmax.weigh(block, scores, a.scale, seen, tile + kSpans * kPositions <= task.count, unused);
      softmax.shrink(block, out);
      MEDSBENCH_UNROLL
      for (int group = 0; group < kGroups; ++group) {
        if (!kTogether) block.each_own([&](int thread) { load_values(thread, part, tile, group, values[0]); });
        add_values(block, scores, values[kTogether ? group : 0], group, out);
      }
    }
  }
  // Columns 64 group .. + 63 of the output += weights values.
  MEDSBENCH_DEVICE static void add_values(Block<kThreads>& block, Scores& weights, const Words (&values)[kSpans][4], int group,
                                          Output& out) {
    MEDSBENCH_UNROLL
    for (int span = 0; span < kSpans; ++span) {
      Words left, right;
      block.each_own([&](int thread) {
        MEDSBENCH_UNROLL
        for (int i = 0; i < 4; ++i)
          left[thread].words[i] = two_bf16(weights.at(thread, span * 8 + i * 2), weights.at(thread, span * 8 + i * 2 + 1));
      });
      MEDSBENCH_UNROLL
      for (int pair = 0; pair < 4; ++pair) {  // of columns: one in the lower halves of the words, one in the upper
        block.each_own([&](int thread) {
          uint32_t* words = right[thread].words;
          MEDSBENCH_UNROLL
          for (int i = 0; i < 2; ++i) {
            const uint32_t even = values[span][i * 2][thread].words[pair], odd = values[span][i * 2 + 1][thread].words[pair];
            words[i] = (even & 0xffffu) | (odd << 16);
            words[2 + i] = (even >> 16) | (odd & 0xffff0000u);
          }
        });
        out.template add<0>(group * 8 + pair * 2, left, right);
        out.template add<2>(group * 8 + pair * 2 + 1, left, right);
      }
    }
  }

  // Where in shared memory a warp's output stands; a gap after half a row keeps threads from waiting for one bank.
  MEDSBENCH_DEVICE static int spot(int row, int column) { return row * kStride + column + column / 32 * 4; }
  template <typename Array>
  MEDSBENCH_DEVICE static void put(int thread, Output& out, int group, Array& sums) {
    MEDSBENCH_UNROLL
    for (int n = 0; n < 8; ++n) {  // row, pack of 8 columns, half of it
      const int row = n / 4, eight = n / 2 % 2, four = n % 2 * 4;
      Pack<float, 4> pack;
      MEDSBENCH_UNROLL
      for (int j = 0; j < 4; ++j) pack.values[j] = out.at(thread, (group * 8 + four + j) * 4 + row * 2 + eight);
      put_pack<float, 4, true>(sums, spot(Output::own_row(thread, row), thread % 4 * 16 + eight * 8 + four), pack);
    }
  }
  // The warps' softmaxes as one: a thread 8 columns of a query.
  template <typename Array, typename Room>
  MEDSBENCH_DEVICE void write(int thread, const Part& part, int first, int group, const Array& largest, const Array& total,
                              const Room& sums) const {
    const int i = thread / 8, e = thread % 8 * 8, column = part.column + group * 64 + e;
    if (first + i >= part.task.rows * part.share || column >= part.dim) return;
    float most = largest[i];
    for (int warp = 1; warp < kWarps; ++warp) most = fmaxf(most, largest[warp * kQueries + i]);
    float sum = 0, out[8] = {};
    MEDSBENCH_UNROLL
    for (int warp = 0; warp < kWarps; ++warp) {
      const int row = warp * kQueries + i;
      const float factor = expf((largest[row] - most) * a.scale);
      sum += factor * total[row];
      const auto low = take_pack<4, float, true>(sums, spot(row, e)), high = take_pack<4, float, true>(sums, spot(row, e + 4));
      MEDSBENCH_UNROLL
      for (int j = 0; j < 4; ++j) {
        out[j] += factor * low.values[j];
        out[4 + j] += factor * high.values[j];
      }
    }
    const int64_t index = part_index(a, part.task, first + i, part.kv, part.share);
    float* to = a.part_out + index * part.dim + column;
    if constexpr (kWide) {
      store_pack<4>(to, Pack<float, 4>{{out[0], out[1], out[2], out[3]}});
      store_pack<4>(to + 4, Pack<float, 4>{{out[4], out[5], out[6], out[7]}});
    } else {
      MEDSBENCH_UNROLL
      for (int j = 0; j < 8; ++j) {
        if (column + j < part.dim) to[j] = out[j];
      }
    }
    if (column > 0) return;
    a.part_max[index] = most * a.scale;
    a.part_sum[index] = sum;
  }
};

}  // namespace harness::cuda
