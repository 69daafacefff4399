// Bodies of RMSNorm and of its gradient (Zhang & Sennrich 2019).
#pragma once

#include "harness/cuda/block.h"
#include "harness/cuda/kernels.h"

namespace harness::cuda {

// A block a row; kPack values a thread at once (1: any width and alignment). The first of each thread stay in its registers,
// with their weights: of a row of at most kThreads kPack values nothing is read after the sum.
template <typename T, int kPack>
struct RmsNormBody {
  static constexpr int kThreads = 128;
  struct Held {
    Pack<T, kPack> x, weight;
  };
  RmsNorm<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    constexpr int64_t kTurn = kThreads * kPack;
    const int64_t row = block.x * a.width;
    PerThread<float, kThreads> squares;
    PerThread<Held, kThreads> held;
    block.each_own([&](int thread) {
      float square = 0;
      const int64_t first = int64_t{thread} * kPack;
      if (first < a.width) held[thread] = {load_pack<kPack>(a.x + row + first), load_pack<kPack>(a.weight + first)};
      for (int64_t i = first; i < a.width; i += kTurn) {
        const Pack<T, kPack> x = i < kTurn ? held[thread].x : load_pack<kPack>(a.x + row + i);
        if (a.copy != nullptr) store_pack<kPack>(a.copy + row + i, x);
        for (int j = 0; j < kPack; ++j) square += to_float(x.values[j]) * to_float(x.values[j]);
      }
      squares[thread] = square;
    });
    const float r = 1.0f / sqrtf(block.sum(squares) / static_cast<float>(a.width) + a.eps);
    block.each_own([&](int thread) {
      if (thread == 0 && a.rstd != nullptr) a.rstd[block.x] = r;
      for (int64_t i = int64_t{thread} * kPack; i < a.width; i += kTurn) {  // the thread's own values again
        Pack<T, kPack> x = i < kTurn ? held[thread].x : load_pack<kPack>(a.x + row + i);
        const Pack<T, kPack> w = i < kTurn ? held[thread].weight : load_pack<kPack>(a.weight + i);
        for (int j = 0; j < kPack; ++j) x.values[j] = from_float<T>(to_float(x.values[j]) * r * to_float(w.values[j]));
        store_pack<kPack>(a.y + row + i, x);
      }
    });
  }
};

// dx += dy w r - x sum(dy w x) r^3 / D. A block a row.
template <typename T, int kPack>
struct RmsNormBackwardBody {
  static constexpr int kThreads = 128;
  RmsNormBackward<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    const int64_t row = block.x * a.width;
    const float r = a.rstd[block.x];
    PerThread<float, kThreads> dots;
    block.each_own([&](int thread) {
      float dot = 0;
      for (int64_t i = int64_t{thread} * kPack; i < a.width; i += kThreads * kPack) {
        const auto dy = load_pack<kPack>(a.dy + row + i), x = load_pack<kPack>(a.x + row + i),
                   w = load_pack<kPack>(a.weight + i);
        for (int j = 0; j < kPack; ++j) dot += to_float(dy.values[j]) * to_float(w.values[j]) * to_float(x.values[j]);
      }
      dots[thread] = dot;
    });
    const float c = block.sum(dots) * r * r * r / static_cast<float>(a.width);
    block.each_own([&](int thread) {
      for (int64_t i = int64_t{thread} * kPack; i < a.width; i += kThreads * kPack) {
        const auto dy = load_pack<kPack>(a.dy + row + i), x = load_pack<kPack>(a.x + row + i),
                   w = load_pack<kPack>(a.weight + i);
        auto dx = load_pack<kPack>(a.dx + row + i);
        for (int j = 0; j < kPack; ++j) {
          const float g = to_float(dy.values[j]) * to_float(w.values[j]) * r - to_float(x.values[j]) * c;
          dx.values[j] = from_float<T>(to_float(dx.values[j]) + g);
        }
        store_pack<kPack>(a.dx + row + i, dx);
      }
    });
  }
};

// workspace[chunk, d] = sum over the rows of a chunk of dy x rstd. Block x: columns, y: chunk.
template <typename T>
struct NormWeightChunkBody {
  static constexpr int kThreads = 128;
  RmsNormBackward<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    block.each_own([&](int thread) {
      const int64_t d = block.x * kThreads + thread;
      if (d >= a.width) return;
      const int64_t begin = block.y * kNormChunk;
      const int64_t end = begin + kNormChunk < a.rows ? begin + kNormChunk : a.rows;
      float total = 0;
      for (int64_t row = begin; row < end; ++row) {
        total += to_float(a.dy[row * a.width + d]) * to_float(a.x[row * a.width + d]) * a.rstd[row];
      }
      a.workspace[block.y * a.width + d] = total;
    });
  }
};

// dweight += the chunks: threads of one column take every kSections-th, then their sums in order. Block x: columns.
template <typename T>
struct NormWeightSumBody {
  static constexpr int kThreads = 256, kColumns = 32, kSections = kThreads / kColumns;
  RmsNormBackward<T> a;
  int64_t chunks = 0;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_SHARED(float, sections, kThreads);
    block.each([&](int thread) {
      const int64_t d = block.x * kColumns + thread % kColumns;
      float total = 0;
      for (int64_t chunk = thread / kColumns; d < a.width && chunk < chunks; chunk += kSections)
        total += a.workspace[chunk * a.width + d];
      sections[thread] = total;
    });
    block.each_own([&](int thread) {
      const int64_t d = block.x * kColumns + thread;
      if (thread >= kColumns || d >= a.width) return;
      float total = 0;
      for (int section = 0; section < kSections; ++section) total += sections[section * kColumns + thread];
      a.dweight[d] += total;
    });
  }
};

}  // namespace harness::cuda
