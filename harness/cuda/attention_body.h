// Bodies of softmax attention over stored keys and values: parts of fixed length, then their join (flash decoding, Dao 2023).
// By the CUDA cores, in fp32; bf16 parts come from attention_tile_body.h.
#pragma once

#include "harness/cuda/block.h"
#include "harness/cuda/kernels.h"

namespace harness::cuda {

// Row of q [R, H] of query i of a task, and of its part's results [R, parts, H].
template <typename T>
MEDSBENCH_DEVICE int64_t query_index(const Attention<T>& a, const AttentionTask& task, int i, int64_t kv, int share) {
  return (task.first_row + i / share) * a.shape.heads + kv * share + i % share;
}
template <typename T>
MEDSBENCH_DEVICE int64_t part_index(const Attention<T>& a, const AttentionTask& task, int i, int64_t kv, int share) {
  return ((task.first_row + i / share) * a.parts + task.part) * a.shape.heads + kv * share + i % share;
}

// Block x: task, y: key-value head. A query's sums do not depend on which other queries share the task.
template <typename T, int kPack, int kQueries>
struct AttentionPartBody {
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / kWarp;
  static constexpr int kTile = 64;  // positions whose scores stand in shared memory
  static constexpr int kLanes = 8;  // threads that share the dot product of one position
  static constexpr int kMostDim = 256;
  static constexpr int kColumns = kMostDim / kThreads;  // columns of the output a thread holds, at most
  struct Scores {
    float of[kQueries];
  };
  struct Sums {
    float of[kQueries][kColumns];
  };
  Attention<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_SHARED(float, query, kQueries* kMostDim);
    MEDSBENCH_SHARED(float, weight, kQueries* kTile);
    MEDSBENCH_SHARED(float, largest, kQueries);
    MEDSBENCH_SHARED(float, total, kQueries);
    MEDSBENCH_SHARED(float, shrink, kQueries);  // exp(old maximum - new maximum)
    MEDSBENCH_SHARED(float, joined, kThreads* kColumns);

    const AttentionTask task = a.tasks[block.x];
    if (task.rows == 0) return;
    const int dim = static_cast<int>(a.shape.dim), share = static_cast<int>(a.shape.heads / a.shape.kv_heads);
    const int queries = task.rows * share;
    const int64_t kv = block.y, stride = a.shape.kv_heads * a.shape.dim;
    const uint64_t deeper = static_cast<uint64_t>(a.layer) * task.layer_bytes;
    const T* keys = reinterpret_cast<const T*>(task.keys + deeper) + kv * dim;
    const T* values = reinterpret_cast<const T*>(task.values + deeper) + kv * dim;
    const int longest = task.count + (task.rows - 1) * task.step;
    const int end = longest < task.begin + kAttentionChunk ? longest : task.begin + kAttentionChunk;
    const int columns = (dim + kThreads - 1) / kThreads;      // of the output, a thread
    const int groups = dim >= kThreads ? 1 : kThreads / dim;  // threads of one column share the positions
    PerThread<Sums, kThreads> sums;

    block.each([&](int thread) {
      for (int i = thread; i < queries * dim; i += kThreads) {
        query[i] = to_float(a.q[query_index(a, task, i / dim, kv, share) * dim + i % dim]) * a.scale;
      }
      if (thread < queries) {
        largest[thread] = -kInfinity;
        total[thread] = 0;
      }
      for (int i = 0; i < kQueries; ++i) {
        for (int c = 0; c < kColumns; ++c) sums[thread].of[i][c] = 0;
      }
    });
    for (int tile = task.begin; tile < end; tile += kTile) {
      for (int first = tile; first < tile + kTile; first += kThreads / kLanes) {
        PerThread<Scores, kThreads> scores;
        block.each_own([&](int thread) {
          const int position = first + thread / kLanes;
          MEDSBENCH_UNROLL
          for (int i = 0; i < kQueries; ++i) scores[thread].of[i] = 0;
          if (position >= end) return;
          for (int e = thread % kLanes * kPack; e < dim; e += kLanes * kPack) {
            const auto key = load_pack<kPack>(keys + position * stride + e);
            MEDSBENCH_UNROLL
            for (int i = 0; i < kQueries; ++i) {
              if (i >= queries) continue;
              float dot = 0;
              for (int j = 0; j < kPack; ++j) dot += to_float(key.values[j]) * query[i * dim + e + j];
              scores[thread].of[i] += dot;
            }
          }
        });
        MEDSBENCH_UNROLL
        for (int i = 0; i < kQueries; ++i) {
          if (i >= queries) continue;
          PerThread<float, kThreads> score;
          block.each_own([&](int thread) { score[thread] = scores[thread].of[i]; });
          block.template group_sum<kLanes>(score);
          block.each_own([&](int thread) {
            const int position = first + thread / kLanes;
            const bool seen = position < end && position < task.count + i / share * task.step;
            if (thread % kLanes == 0) weight[i * kTile + position - tile] = seen ? score[thread] : -kInfinity;
          });
        }
      }
      block.each([](int) {});
      weigh(block, queries, weight, largest, total, shrink);
      block.each([&](int thread) {
        const int column = thread % dim, group = thread / dim;
        if (dim < kThreads && group >= groups) return;
        MEDSBENCH_UNROLL
        for (int i = 0; i < kQueries; ++i) {
          for (int c = 0; c < kColumns; ++c) sums[thread].of[i][c] *= i < queries ? shrink[i] : 0.0f;
        }
        const int last = end < tile + kTile ? end : tile + kTile;
        for (int position = tile + (dim < kThreads ? group : 0); position < last; position += groups) {
          MEDSBENCH_UNROLL
          for (int c = 0; c < kColumns; ++c) {
            const int e = dim < kThreads ? column : thread + c * kThreads;
            if (c >= columns || e >= dim) continue;
            const float value = to_float(values[position * stride + e]);
            MEDSBENCH_UNROLL
            for (int i = 0; i < kQueries; ++i) {
              if (i < queries) sums[thread].of[i][c] += weight[i * kTile + position - tile] * value;
            }
          }
        }
      });
    }
    MEDSBENCH_UNROLL
    for (int i = 0; i < kQueries; ++i) {
      if (i >= queries) continue;
      const int64_t index = part_index(a, task, i, kv, share);
      block.each([&](int thread) {
        for (int c = 0; c < kColumns; ++c) joined[thread + c * kThreads] = sums[thread].of[i][c];
      });
      block.each([&](int thread) {
        for (int e = thread; e < dim; e += kThreads) {
          float sum = 0;
          for (int group = 0; group < groups; ++group) sum += joined[group * dim + e];
          a.part_out[index * dim + e] = sum;
        }
        if (thread == 0) {
          a.part_max[index] = largest[i];
          a.part_sum[index] = total[i];
        }
      });
    }
  }

 private:
  static constexpr float kInfinity = 3.0e38f;  // -kInfinity: a score not seen; a true infinity would make NaN of differences

  // Scores of a tile become weights exp(score - maximum) and the running maximum and sum move on; a warp a query.
  template <typename Weights, typename Values>
  MEDSBENCH_DEVICE void weigh(Block<kThreads>& block, int queries, Weights& weight, Values& largest, Values& total,
                              Values& shrink) const {
    for (int first = 0; first < queries; first += kWarps) {
      PerThread<float, kThreads> best, sum;
      block.each_own([&](int thread) {
        const int i = first + thread / kWarp;
        best[thread] = -kInfinity;
        for (int j = thread % kWarp; i < queries && j < kTile; j += kWarp)
          best[thread] = fmaxf(best[thread], weight[i * kTile + j]);
      });
      block.warp_max(best);
      block.each_own([&](int thread) {
        const int i = first + thread / kWarp;
        sum[thread] = 0;
        if (i >= queries) return;
        best[thread] = fmaxf(best[thread], largest[i]);
        for (int j = thread % kWarp; j < kTile; j += kWarp) {
          const float score = weight[i * kTile + j];
          const float p = score == -kInfinity ? 0.0f : expf(score - best[thread]);
          weight[i * kTile + j] = p;
          sum[thread] += p;
        }
      });
      block.warp_sum(sum);
      block.each([&](int thread) {
        const int i = first + thread / kWarp;
        if (thread % kWarp != 0 || i >= queries) return;
        shrink[i] = expf(largest[i] - best[thread]);
        total[i] = total[i] * shrink[i] + sum[thread];
        largest[i] = best[thread];
      });
    }
  }
};

// out = sum exp(max_p - max) out_p / sum exp(max_p - max) sum_p over the parts in their order. Block x: row; kPack columns of
// one head a thread at once.
template <typename T, int kPack>
struct AttentionJoinBody {
  static constexpr int kThreads = 256;
  Attention<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    const int64_t heads = a.shape.heads, dim = a.shape.dim;
    const int parts = a.row_parts[block.x], width = static_cast<int>(heads * dim);
    block.each_own([&](int thread) {
      for (int n = thread * kPack; n < width; n += kThreads * kPack) {
        const int head = n / static_cast<int>(dim), e = n - head * static_cast<int>(dim);
        const int64_t first = block.x * a.parts * heads + head, out = block.x * heads + head;
        float largest = parts > 0 ? a.part_max[first] : 0.0f, total = 0;
        for (int p = 1; p < parts; ++p) largest = fmaxf(largest, a.part_max[first + p * heads]);
        Pack<float, kPack> sums = {};
        for (int p = 0; p < parts; ++p) {
          const int64_t part = first + p * heads;
          const float factor = expf(a.part_max[part] - largest);
          const auto more = load_pack<kPack>(a.part_out + part * dim + e);
          total += factor * a.part_sum[part];
          for (int j = 0; j < kPack; ++j) sums.values[j] += factor * more.values[j];
        }
        Pack<T, kPack> result;
        for (int j = 0; j < kPack; ++j) result.values[j] = from_float<T>(parts > 0 ? sums.values[j] / total : 0.0f);
        store_pack<kPack>(a.out + out * dim + e, result);
        if (e == 0 && a.lse != nullptr) a.lse[out] = parts > 0 ? largest + logf(total) : 0.0f;
      }
    });
  }
};

}  // namespace harness::cuda
