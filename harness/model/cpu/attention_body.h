// Attention and its gradient, compiled once an instruction set (see row_kernels_body.h).
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "harness/model/cpu/row_kernels.h"
#include "harness/model/cpu/vectors_body.h"

namespace harness::kernels::MEDSBENCH_KERNEL_SET {

namespace {

template <typename T>
void store_kv(const T* k, const T* v, KvView<T> cache, int64_t position, HeadShape s) {
  const int64_t padded = s.padded();
  for (int64_t h = 0; h < s.kv_heads; ++h) {
    T* key = cache.keys + (h * cache.capacity + position / kLanes * kLanes) * s.dim + position % kLanes;
    for (int64_t e = 0; e < s.dim; ++e) key[e * kLanes] = k[h * s.dim + e];
    T* value = cache.values + (h * cache.capacity + position) * padded;
    for (int64_t e = 0; e < s.dim; ++e) value[e] = v[h * s.dim + e];
  }
}

// Keys, values and number of positions of one segment of a task (its prefix or its own) for one key-value head.
template <typename T>
struct Segment {
  const T* keys;
  const T* values;
  int64_t count;
  [[nodiscard]] int64_t blocks() const { return (count + kLanes - 1) / kLanes; }
};

// Scores of kQueries scaled queries [kQueries][dim] that share a key head -> scores[query * stride + block], lanes beyond the
// count -inf; raises best[query] to their largest lanes.
template <typename T, int64_t kQueries>
void block_scores(const float* query, const Segment<T>& segment, int64_t dim, Float16* scores, int64_t stride, Float16* best) {
  for (int64_t j = 0; j < segment.count; j += kLanes) {
    Float16 even[kQueries] = {}, odd[kQueries] = {};  // chains of their own hide the latency of the fused multiply-add
    const T* block = segment.keys + j * dim;
    int64_t e = 0;
    for (; e + 1 < dim; e += 2) {
      const Float16 first = load(block + e * kLanes), second = load(block + (e + 1) * kLanes);
      for (int64_t q = 0; q < kQueries; ++q) {
        even[q] += query[q * dim + e] * first;
        odd[q] += query[q * dim + e + 1] * second;
      }
    }
    if (e < dim) {
      for (int64_t q = 0; q < kQueries; ++q) even[q] += query[q * dim + e] * load(block + e * kLanes);
    }
    for (int64_t q = 0; q < kQueries; ++q) {
      Float16 s = even[q] + odd[q];
      if (segment.count - j < kLanes) s = keep(s, segment.count - j, -std::numeric_limits<float>::infinity());
      scores[q * stride + j / kLanes] = s;
      best[q] = larger(s, best[q]);
    }
  }
}

// scores -> exp(scores - max) in place; lanes beyond `count` are 0.
Float16 exponentiate(Float16* scores, int64_t count, float max, Float16 sum) {
  for (int64_t j = 0; j < count; j += kLanes) {
    Float16 p = exponential(scores[j / kLanes] - max);
    if (count - j < kLanes) p = keep(p, count - j, 0);
    scores[j / kLanes] = p;
    sum += p;
  }
  return sum;
}

// out[query * vectors + v] += weights of the query, position by position, times values of its head; kHeads key-value heads
// with kQueries queries each, their values `head_step` apart, and kVectors of the `vectors` of a value.
template <typename T, int64_t kHeads, int64_t kQueries, int64_t kVectors>
void add_values(const float* weights, int64_t stride, const T* values, int64_t head_step, int64_t count, int64_t vectors,
                Float16* out) {
  constexpr int64_t kAll = kHeads * kQueries;
  Float16 sum[kAll][kVectors];
  for (int64_t q = 0; q < kAll; ++q) {
    for (int64_t v = 0; v < kVectors; ++v) sum[q][v] = out[q * vectors + v];
  }
  for (int64_t j = 0; j < count; ++j, values += vectors * kLanes) {
#pragma GCC unroll 4
    for (int64_t h = 0; h < kHeads; ++h) {
      Float16 value[kVectors];
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) value[v] = load(values + h * head_step + v * kLanes);
#pragma GCC unroll 4
      for (int64_t q = h * kQueries; q < (h + 1) * kQueries; ++q) {
#pragma GCC unroll 4
        for (int64_t v = 0; v < kVectors; ++v) sum[q][v] += weights[q * stride + j] * value[v];
      }
    }
  }
  for (int64_t q = 0; q < kAll; ++q) {
    for (int64_t v = 0; v < kVectors; ++v) out[q * vectors + v] = sum[q][v];
  }
}

template <int64_t kValue>
using Constant = std::integral_constant<int64_t, kValue>;

// Calls body(first, number) for pieces of [0, size) of at most four, their number a constant.
template <typename Body>
void by_fours(int64_t size, Body&& body) {
  int64_t i = 0;
  for (; i + 4 <= size; i += 4) body(i, Constant<4>{});
  if (size - i == 3) return body(i, Constant<3>{});
  if (size - i == 2) return body(i, Constant<2>{});
  if (size - i == 1) return body(i, Constant<1>{});
}

// Softmax attention, a task at a time, with the room that it needs: scores [H][blocks], queries [H][E], sums [H][P / 16].
template <typename T>
class TaskAttention {
 public:
  TaskAttention(HeadShape shape, float scale)
      : s_(shape),
        scale_(scale),
        share_(shape.heads / shape.kv_heads),
        out_(shape.heads * vectors_of()),
        best_(shape.heads),
        max_(shape.heads),
        total_(shape.heads),
        queries_(shape.heads * shape.dim) {}

  void attend(const AttentionTask<T>& task) {
    const int64_t prefix_blocks = (task.prefix_count + kLanes - 1) / kLanes;
    stride_ = prefix_blocks + (task.own_count + kLanes - 1) / kLanes;
    scores_.grow(s_.heads * (stride_ + 8));
    scale_queries(task.query);
    for (Float16& best : best_) best = splat(-std::numeric_limits<float>::infinity());
    for (Float16& out : out_) out = Float16{};
    score(task.prefix, task.prefix_count, 0);
    score(task.own, task.own_count, prefix_blocks);
    for (int64_t h = 0; h < s_.heads; ++h) {
      Float16* scores = scores_.data() + h * stride_;
      const float max = max_lanes(best_[h]);
      Float16 sum = exponentiate(scores, task.prefix_count, max, Float16{});
      sum = exponentiate(scores + prefix_blocks, task.own_count, max, sum);
      max_[h] = max;
      total_[h] = sum_lanes(sum);
    }
    weigh(task.prefix, task.prefix_count, 0);
    weigh(task.own, task.own_count, prefix_blocks);
    for (int64_t h = 0; h < s_.heads; ++h) {
      const float max = max_[h], total = total_[h];
      for (int64_t e = 0; e < s_.dim; e += kLanes) {
        store_part(task.out + h * s_.dim + e, out_[h * vectors_of() + e / kLanes] / total,
                   s_.dim - e < kLanes ? s_.dim - e : kLanes);
      }
      if (task.lse != nullptr) task.lse[h] = max + std::log(total);
    }
  }

 private:
  [[nodiscard]] int64_t vectors_of() const { return s_.padded() / kLanes; }

  void scale_queries(const T* query) {
    const int64_t size = s_.heads * s_.dim;
    int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) store(queries_.data() + i, load(query + i) * scale_);
    if (i < size) store_part(queries_.data() + i, load_part(query + i, size - i) * scale_, size - i);
  }

  template <typename Stored>
  void score(const KvView<Stored>& store, int64_t count, int64_t block) {
    for (int64_t kv = 0; kv < s_.kv_heads; ++kv) {
      const Segment<T> segment{store.keys + kv * store.capacity * s_.dim, nullptr, count};
      by_fours(share_, [&](int64_t first, auto queries) {
        const int64_t h = kv * share_ + first;
        block_scores<T, queries>(queries_.data() + h * s_.dim, segment, s_.dim, scores_.data() + h * stride_ + block, stride_,
                                 best_.data() + h);
      });
    }
  }

  template <typename Stored>
  void weigh(const KvView<Stored>& store, int64_t count, int64_t block) {
    const int64_t padded = s_.padded(), vectors = vectors_of(), step = store.capacity * padded;
    const auto* weights = reinterpret_cast<const float*>(scores_.data() + block);
    const auto weights_of = [&](int64_t head) { return weights + head * stride_ * kLanes; };
    if (vectors == 1 && share_ == 2 && s_.kv_heads % 2 == 0) {  // two key-value heads at once: four chains instead of two
      for (int64_t kv = 0; kv < s_.kv_heads; kv += 2) {
        add_values<T, 2, 2, 1>(weights_of(kv * 2), stride_ * kLanes, store.values + kv * step, step, count, 1,
                               out_.data() + kv * 2);
      }
      return;
    }
    for (int64_t kv = 0; kv < s_.kv_heads; ++kv) {
      by_fours(share_, [&](int64_t first, auto queries) {
        const int64_t h = kv * share_ + first;
        by_fours(vectors, [&](int64_t vector, auto some) {
          add_values<T, 1, queries, some>(weights_of(h), stride_ * kLanes, store.values + kv * step + vector * kLanes, 0, count,
                                          vectors, out_.data() + h * vectors + vector);
        });
      });
    }
  }

  HeadShape s_;
  float scale_;
  int64_t share_, stride_ = 0;
  Room<Float16> scores_, out_;
  Room<Float16> best_;       // of a head: the largest score of each lane
  Room<float> max_, total_;  // of a head: the largest score, the sum of the weights
  Room<float> queries_;
};

// Keys and values of many sequences lie in memory far apart: those of the next task come while this one is computed.
template <typename T>
void prefetch_own(const AttentionTask<T>& task, HeadShape s) {
  constexpr int64_t kLine = 64 / sizeof(T), kMostLines = 64;  // of one head: more come by themselves, being side by side
  const auto lines = [](const T* from, int64_t size) {
    const int64_t end = size < kMostLines * kLine ? size : kMostLines * kLine;
    for (int64_t i = 0; i < end; i += kLine) __builtin_prefetch(from + i);
  };
  for (int64_t kv = 0; kv < s.kv_heads; ++kv) {
    lines(task.own.keys + kv * task.own.capacity * s.dim, (task.own_count + kLanes - 1) / kLanes * kLanes * s.dim);
    lines(task.own.values + kv * task.own.capacity * s.padded(), task.own_count * s.padded());
  }
}

template <typename T>
void attend(const AttentionTask<T>* tasks, int64_t count, HeadShape s, float scale) {
  TaskAttention<T> attention(s, scale);
  for (int64_t i = 0; i < count; ++i) {
    if (i + 1 < count) prefetch_own(tasks[i + 1], s);
    const AttentionTask<T>& task = tasks[i];
    if (task.key != nullptr) store_kv(task.key, task.value, task.own, task.own_count - 1, s);
    attention.attend(task);
  }
}

// p and ds of kQueries queries from `first` on against the block of keys at `j`: 0 beyond a query's count.
template <int64_t kQueries>
void backward_weights(const BackwardQueries& in, int64_t first, const BackwardKeys& keys, int64_t j, float scale, int64_t dim,
                      Float16* weights, Float16* score_gradients) {
  const int64_t padded = (dim + kLanes - 1) / kLanes * kLanes;
  const float* query = in.queries + first * padded;
  const float* dout = in.out_gradients + first * padded;
  Float16 score[kQueries] = {}, dp[kQueries] = {};
  for (int64_t e = 0; e < dim; ++e) {
    const Float16 key = load(keys.key_blocks + j * dim + e * kLanes), value = load(keys.value_blocks + j * dim + e * kLanes);
    for (int64_t q = 0; q < kQueries; ++q) {
      score[q] += query[q * padded + e] * key;
      dp[q] += dout[q * padded + e] * value;
    }
  }
  for (int64_t q = 0; q < kQueries; ++q) {
    const int64_t lanes = in.counts[first + q] - j;
    Float16 p = exponential(score[q] * scale - in.lse[first + q]);
    Float16 ds = p * (dp[q] - in.delta[first + q]) * scale;
    if (lanes < kLanes) p = keep(p, lanes, 0), ds = keep(ds, lanes, 0);
    weights[first + q] = p;
    score_gradients[first + q] = ds;
  }
}

// out[v] += factors[i * factor_step] * rows[i * row_step + v] for i in [0, number), in that order, kVectors vectors of each.
template <int64_t kVectors>
void add_rows(const float* factors, int64_t factor_step, const float* rows, int64_t row_step, int64_t number, float* out) {
  Float16 sum[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) sum[v] = load(out + v * kLanes);
  for (int64_t i = 0; i < number; ++i) {
    for (int64_t v = 0; v < kVectors; ++v) sum[v] += factors[i * factor_step] * load(rows + i * row_step + v * kLanes);
  }
  for (int64_t v = 0; v < kVectors; ++v) store(out + v * kLanes, sum[v]);
}

void attend_backward(const BackwardQueries& in, const BackwardKeys& keys, float scale, int64_t dim) {
  const int64_t vectors = (dim + kLanes - 1) / kLanes, padded = vectors * kLanes, last = in.counts[in.number - 1];
  Float16 weights[BackwardQueries::kMost], score_gradients[BackwardQueries::kMost];
  const auto* p = reinterpret_cast<const float*>(weights);
  const auto* ds = reinterpret_cast<const float*>(score_gradients);
  int64_t first = 0;  // the first query that attends to keys of the block
  for (int64_t j = 0; j < last; j += kLanes) {
    while (in.counts[first] <= j) ++first;
    const int64_t lanes = last - j < kLanes ? last - j : kLanes, queries = in.number - first;
    by_fours(queries, [&](int64_t from, auto some) {
      backward_weights<some>(in, first + from, keys, j, scale, dim, weights, score_gradients);
    });
    by_fours(vectors, [&](int64_t vector, auto some) {
      const int64_t at = vector * kLanes;
      for (int64_t q = first; q < in.number; ++q) {
        const int64_t count = in.counts[q] - j < kLanes ? in.counts[q] - j : kLanes;
        add_rows<some>(ds + q * kLanes, 1, keys.key_rows + j * padded + at, padded, count, in.gradients + q * padded + at);
      }
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t row = (j + lane) * padded + at;
        add_rows<some>(ds + first * kLanes + lane, kLanes, in.queries + first * padded + at, padded, queries,
                       keys.key_gradients + row);
        add_rows<some>(p + first * kLanes + lane, kLanes, in.out_gradients + first * padded + at, padded, queries,
                       keys.value_gradients + row);
      }
    });
  }
}

}  // namespace

}  // namespace harness::kernels::MEDSBENCH_KERNEL_SET
