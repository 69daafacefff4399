// Bodies of the gradient of the head norm and rotary embedding.
#pragma once

#include "harness/cuda/block.h"
#include "harness/cuda/kernels.h"

namespace harness::cuda {

// With g the rotated-back gradient and r = 1 / rms(x): dx = g w r - x sum(g w x) r^3 / E, dw = sum g x r; without a norm dx =
// g. A block takes its rows one after another, a warp a head; a thread keeps its part of dw over the rows of the block.
template <typename T>
struct SplitRotateBackwardBody {
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / kWarp;
  static constexpr int kPairs = 128 / kWarp;  // pairs (i, E / 2 + i) of a thread
  static constexpr int kMostDim = 2 * kPairs * kWarp;
  struct WeightSums {
    float q[kPairs][2], k[kPairs][2];
  };
  // The gradient of one pair before the rotation.
  struct PairGradient {
    float low, high;
  };
  SplitRotateBackward<T> a;
  int64_t block_rows = kRotateChunk;  // without norms as few as there are, with them those of a chunk

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    PerThread<WeightSums, kThreads> sums;
    block.each_own([&](int thread) {
      MEDSBENCH_UNROLL
      for (int m = 0; m < kPairs; ++m) {
        for (int side = 0; side < 2; ++side) sums[thread].q[m][side] = sums[thread].k[m][side] = 0;
      }
    });
    const int64_t begin = block.x * block_rows, end = begin + block_rows < a.rows ? begin + block_rows : a.rows;
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t first = 0; first < a.shape.heads + a.shape.kv_heads; first += kWarps) do_heads(block, row, first, sums);
      copy_values(block, row);
    }
    if (a.q_norm != nullptr) sum_weights(block, sums);
  }

 private:
  MEDSBENCH_DEVICE int64_t width() const { return (a.shape.heads + 2 * a.shape.kv_heads) * a.shape.dim; }
  MEDSBENCH_DEVICE PairGradient rotate_back(const T* gradient, int64_t row, int64_t i) const {
    const int64_t half = a.shape.dim / 2, at = a.positions[row] * half + i;
    const float low = to_float(gradient[i]), high = to_float(gradient[half + i]), c = a.cosine[at], s = a.sine[at];
    return {low * c + high * s, high * c - low * s};
  }

  MEDSBENCH_DEVICE void do_heads(Block<kThreads>& block, int64_t row, int64_t first,
                                 PerThread<WeightSums, kThreads>& sums) const {
    const Heads& s = a.shape;
    const int64_t half = s.dim / 2, rotated = s.heads + s.kv_heads;
    const auto head_of = [&](int thread) { return first + thread / kWarp; };
    const auto gradient_of = [&](int64_t head) {
      return head < s.heads ? a.dq + row * a.q_stride + head * s.dim : a.dk + row * a.kv_stride + (head - s.heads) * s.dim;
    };
    PerThread<float, kThreads> squares, dots;
    if (a.q_norm != nullptr) {
      block.each_own([&](int thread) {
        const int64_t head = head_of(thread);
        squares[thread] = dots[thread] = 0;
        if (head >= rotated) return;
        const T* gradient = gradient_of(head);
        const T* x = a.qkv + row * width() + head * s.dim;
        const T* norm = head < s.heads ? a.q_norm : a.k_norm;
        for (int64_t i = thread % kWarp; i < half; i += kWarp) {
          const PairGradient g = rotate_back(gradient, row, i);
          const float low = to_float(x[i]), high = to_float(x[half + i]);
          squares[thread] += low * low + high * high;
          dots[thread] += g.low * to_float(norm[i]) * low + g.high * to_float(norm[half + i]) * high;
        }
      });
      block.warp_sum(squares);
      block.warp_sum(dots);
    }
    block.each_own([&](int thread) {
      const int64_t head = head_of(thread);
      if (head >= rotated) return;
      const T* gradient = gradient_of(head);
      T* out = a.dqkv + row * width() + head * s.dim;
      if (a.q_norm == nullptr) {
        for (int64_t i = thread % kWarp; i < half; i += kWarp) {
          const PairGradient g = rotate_back(gradient, row, i);  // read before its place is written: it may be the same
          out[i] = from_float<T>(g.low);
          out[half + i] = from_float<T>(g.high);
        }
        return;
      }
      const bool query = head < s.heads;
      const T* norm = query ? a.q_norm : a.k_norm;
      const T* x = a.qkv + row * width() + head * s.dim;
      const float r = 1.0f / sqrtf(squares[thread] / static_cast<float>(s.dim) + a.eps);
      const float c = dots[thread] * r * r * r / static_cast<float>(s.dim);
      MEDSBENCH_UNROLL
      for (int m = 0; m < kPairs; ++m) {
        const int64_t i = thread % kWarp + m * kWarp;
        if (i >= half) continue;
        const PairGradient g = rotate_back(gradient, row, i);
        const float low = to_float(x[i]), high = to_float(x[half + i]);
        out[i] = from_float<T>(g.low * to_float(norm[i]) * r - low * c);
        out[half + i] = from_float<T>(g.high * to_float(norm[half + i]) * r - high * c);
        sums[thread].q[m][0] += query ? g.low * low * r : 0.0f;
        sums[thread].q[m][1] += query ? g.high * high * r : 0.0f;
        sums[thread].k[m][0] += query ? 0.0f : g.low * low * r;
        sums[thread].k[m][1] += query ? 0.0f : g.high * high * r;
      }
    });
  }

  MEDSBENCH_DEVICE void copy_values(Block<kThreads>& block, int64_t row) const {
    const int64_t kv = a.shape.kv_heads * a.shape.dim;
    const T* from = a.dv + row * a.kv_stride;
    T* to = a.dqkv + (row + 1) * width() - kv;
    if (from == to) return;
    block.each_own([&](int thread) {
      for (int64_t i = thread; i < kv; i += kThreads) to[i] = from[i];
    });
  }

  // workspace[block] = the threads' sums, warps in their order.
  MEDSBENCH_DEVICE void sum_weights(Block<kThreads>& block, PerThread<WeightSums, kThreads>& sums) const {
    MEDSBENCH_SHARED(float, parts, kWarps * 2 * kMostDim);
    const int half = static_cast<int>(a.shape.dim / 2), dim = 2 * half;
    block.each([&](int thread) {
      MEDSBENCH_UNROLL
      for (int m = 0; m < kPairs; ++m) {
        const int i = thread % kWarp + m * kWarp;
        if (i >= half) continue;
        for (int side = 0; side < 2; ++side) {
          const int at = thread / kWarp * 2 * kMostDim + side * half + i;
          parts[at] = sums[thread].q[m][side];
          parts[at + kMostDim] = sums[thread].k[m][side];
        }
      }
    });
    block.each_own([&](int thread) {
      for (int n = thread; n < 2 * dim; n += kThreads) {
        float total = 0;
        for (int warp = 0; warp < kWarps; ++warp) total += parts[(warp * 2 + n / dim) * kMostDim + n % dim];
        a.workspace[block.x * 2 * dim + n] = total;
      }
    });
  }
};

// The norms' gradients += the chunks: threads of one column take every kSections-th, then their sums in order. Block x:
// columns, y: 0 for queries, 1 for keys.
template <typename T>
struct HeadNormSumBody {
  static constexpr int kThreads = 256, kColumns = 32, kSections = kThreads / kColumns;
  SplitRotateBackward<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_SHARED(float, sections, kThreads);
    const int64_t dim = a.shape.dim, chunks = (a.rows + kRotateChunk - 1) / kRotateChunk;
    block.each([&](int thread) {
      const int64_t e = block.x * kColumns + thread % kColumns;
      float total = 0;
      for (int64_t chunk = thread / kColumns; e < dim && chunk < chunks; chunk += kSections)
        total += a.workspace[(chunk * 2 + block.y) * dim + e];
      sections[thread] = total;
    });
    block.each_own([&](int thread) {
      const int64_t e = block.x * kColumns + thread;
      if (thread >= kColumns || e >= dim) return;
      float total = 0;
      for (int section = 0; section < kSections; ++section) total += sections[section * kColumns + thread];
      (block.y == 0 ? a.dq_norm : a.dk_norm)[e] += total;
    });
  }
};

}  // namespace harness::cuda
