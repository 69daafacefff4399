// Bodies over rows of logits: sampling, log-probs and entropies, the gradient; and the layer readout.
//
// Logits are read once (logit_row.h); a draw reads one tile again.
#pragma once

#include "harness/cuda/logit_row.h"

namespace harness::cuda {

// The sums of the tiles of a row to the workspace. Block x: row, y: kTilesAtOnce tiles.
template <typename T, bool kAligned>
struct SampleTilesBody {
  static constexpr int kThreads = kLogitThreads;
  SampleTokens<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    const LogitRow<T, kAligned> row(a.logits + block.x * a.vocabulary, a.vocabulary);
    row.store(block, static_cast<int>(block.y) * kTilesAtOnce, a.draw_inverse, a.report_inverse != a.draw_inverse,
              a.report_inverse, a.workspace + block.x * kTileSums * row.tiles());
  }
};

// A block a row. The draw is the inverted cumulative sum: the first token at which it passes uniform x total.
template <typename T, bool kAligned>
struct SampleTokensBody {
  static constexpr int kThreads = kLogitThreads;
  static constexpr int kPart = kLogitTile / kWarp;  // weights of one lane, neighbours
  SampleTokens<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_TILE_SUMS(drawn);
    MEDSBENCH_TILE_SUMS(reported);
    MEDSBENCH_SHARED(float, weight, kLogitTile + kWarp);  // a gap after each lane's part: no two lanes on one bank
    MEDSBENCH_SHARED(double, lane_sum, kWarp);
    MEDSBENCH_SHARED(double, target, 1);  // what is left of uniform x total within the tile
    MEDSBENCH_SHARED(int, chosen, 1);
    const LogitRow<T, kAligned> row(a.logits + block.x * a.vocabulary, a.vocabulary);
    const bool two = a.report_inverse != a.draw_inverse;
    if (a.workspace != nullptr) {
      row.statistics(block, a.workspace + block.x * kTileSums * row.tiles(), drawn, two, reported);
    } else {
      row.statistics(block, a.draw_inverse, drawn, two, a.report_inverse, reported);
    }
    block.each([&](int thread) {
      if (thread != 0) return;
      chosen[0] =
          a.uniforms == nullptr ? first_largest_tile(drawn, row.tiles()) : find_tile(block.x, drawn, row.tiles(), target);
    });
    const int tile = chosen[0];
    block.each([&](int thread) {  // one warp
      if (thread >= kWarp) return;
      typename LogitRow<T, kAligned>::Held held;
      row.load(tile, thread, held);
      MEDSBENCH_UNROLL
      for (int j = 0; j < kPart; ++j) {
        const int64_t i = row.index(tile, thread, j);
        const int local = static_cast<int>(i - int64_t{tile} * kLogitTile);
        const float z = held.values[j] * a.draw_inverse;
        const float w = a.uniforms == nullptr ? held.values[j] : expf(z - drawn.max[kMostTiles]);
        weight[local + local / kPart] = i < a.vocabulary ? w : (a.uniforms == nullptr ? -3.0e38f : 0.0f);
      }
    });
    block.each([&](int thread) {
      if (thread >= kWarp) return;
      double sum = 0;
      float best = -3.0e38f;
      for (int j = 0; j < kPart; ++j) {
        const float w = weight[thread * (kPart + 1) + j];
        sum += static_cast<double>(w);
        best = fmaxf(best, w);
      }
      lane_sum[thread] = a.uniforms == nullptr ? static_cast<double>(best) : sum;
    });
    block.each([&](int thread) {
      if (thread != 0) return;
      const int local = a.uniforms == nullptr ? largest_in_tile(weight, lane_sum) : draw_in_tile(weight, lane_sum, target[0]);
      int64_t token = int64_t{tile} * kLogitTile + local;
      if (token >= a.vocabulary) token = a.vocabulary - 1;  // only where logits are not numbers
      const float z = to_float(a.logits[block.x * a.vocabulary + token]) * a.report_inverse;
      a.tokens[block.x] = token;
      a.log_probs[block.x] = two ? joined_log_prob(reported, z) : joined_log_prob(drawn, z);
      a.entropies[block.x] = two ? joined_entropy(reported) : joined_entropy(drawn);
    });
  }

 private:
  MEDSBENCH_DEVICE static int first_largest_tile(const TileSums& sums, int tiles) {
    int best = 0;
    float largest = sums.max[0];
    for (int tile = 1; tile < tiles; ++tile) {
      const float max = sums.max[tile];
      if (max > largest) best = tile;
      largest = max > largest ? max : largest;
    }
    return best;
  }
  // The first of the sums that is more than what those before it leave of `left`, or the last. Several are read ahead: the
  // thread that does this is alone.
  template <typename Sums>
  MEDSBENCH_DEVICE static int pass(const Sums& sums, int count, double& left) {
    constexpr int kAhead = 8;
    int at = 0;
    for (int first = 0; at == first && first + 1 < count; first += kAhead) {
      double ahead[kAhead];
      MEDSBENCH_UNROLL
      for (int j = 0; j < kAhead; ++j) ahead[j] = first + j + 1 < count ? static_cast<double>(sums[first + j]) : 0.0;
      MEDSBENCH_UNROLL
      for (int j = 0; j < kAhead; ++j) {
        const bool passed = (at == first + j) & (first + j + 1 < count) & (ahead[j] <= left);
        left = passed ? left - ahead[j] : left;
        at += passed ? 1 : 0;
      }
    }
    return at;
  }
  template <typename Target>
  MEDSBENCH_DEVICE int find_tile(int64_t block_row, const TileSums& sums, int tiles, Target& target) const {
    double total = 0;
    for (int tile = 0; tile < tiles; ++tile) total += static_cast<double>(sums.sum[tile]);
    double left = a.uniforms[block_row] * total;
    const int tile = pass(sums.sum, tiles, left);
    target[0] = left;
    return tile;
  }
  template <typename Weights, typename LaneSums>
  MEDSBENCH_DEVICE static int largest_in_tile(const Weights& weight, const LaneSums& lane_best) {
    int lane = 0;
    for (int other = 1; other < kWarp; ++other) {
      if (lane_best[other] > lane_best[lane]) lane = other;
    }
    int best = 0;
    for (int j = 1; j < kPart; ++j) {
      if (weight[lane * (kPart + 1) + j] > weight[lane * (kPart + 1) + best]) best = j;
    }
    return lane * kPart + best;
  }
  template <typename Weights, typename LaneSums>
  MEDSBENCH_DEVICE static int draw_in_tile(const Weights& weight, const LaneSums& lane_sum, double left) {
    int lane = pass(lane_sum, kWarp, left), last = 0;
    for (; lane >= 0; --lane) {  // rounding may leave the target beyond the last weight: then that weight's token
      bool any = false;
      for (int j = 0; j < kPart; ++j) {
        const float w = weight[lane * (kPart + 1) + j];
        if (w > 0) {
          last = lane * kPart + j;
          any = true;
        }
        if (static_cast<double>(w) > left) return lane * kPart + j;
        left -= static_cast<double>(w);
      }
      if (any) break;
      left = 1e300;
    }
    return last;
  }
};

// A block a row.
template <typename T, bool kAligned>
struct TokenLogProbsBody {
  static constexpr int kThreads = kLogitThreads;
  TokenLogProbs<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_TILE_SUMS(sums);
    const T* logits = a.logits + block.x * a.vocabulary;
    const LogitRow<T, kAligned> row(logits, a.vocabulary);
    row.statistics(block, a.inverse_temperature, sums);
    block.each_own([&](int thread) {
      if (thread != 0) return;
      a.log_probs[block.x] = joined_log_prob(sums, to_float(logits[a.targets[block.x]]) * a.inverse_temperature);
      a.entropies[block.x] = joined_entropy(sums);
    });
  }
};

// dz_j = (g ([j = t] - p_j) - h p_j (log p_j + H)) / temperature, g and h the gradients of log-prob and entropy. A block a row.
template <typename T, bool kAligned>
struct LogitGradientBody {
  static constexpr int kThreads = kLogitThreads;
  static constexpr int kPack = 8;
  LogitGradient<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    MEDSBENCH_TILE_SUMS(sums);
    T* logits = a.logits + block.x * a.vocabulary;
    const LogitRow<T, kAligned> row(logits, a.vocabulary);
    row.statistics(block, a.inverse_temperature, sums);
    const float max = sums.max[kMostTiles], inverse_sum = 1.0f / sums.sum[kMostTiles];
    const float log_sum = logf(sums.sum[kMostTiles]), entropy = joined_entropy(sums);
    const float g = a.log_prob_gradients[block.x];
    const float h = a.entropy_gradients != nullptr ? a.entropy_gradients[block.x] : 0.0f;
    const int64_t target = a.targets[block.x];
    const auto gradient = [&](T logit, int64_t j) {
      const float d = to_float(logit) * a.inverse_temperature - max, p = expf(d) * inverse_sum;
      const float dz = -p * g - h * p * (d - log_sum + entropy) + (j == target ? g : 0.0f);
      return from_float<T>(dz * a.inverse_temperature);
    };
    block.each_own([&](int thread) {
      for (int64_t i = int64_t{thread} * kPack; i < a.vocabulary; i += kThreads * kPack) {
        if (kAligned && i + kPack <= a.vocabulary) {
          auto pack = load_pack<kPack>(logits + i);
          MEDSBENCH_UNROLL
          for (int j = 0; j < kPack; ++j) pack.values[j] = gradient(pack.values[j], i + j);
          store_pack<kPack>(logits + i, pack);
        } else {
          for (int64_t j = i; j < i + kPack && j < a.vocabulary; ++j) logits[j] = gradient(logits[j], j);
        }
      }
    });
  }
};

// A block a row, a warp a layer: of `stripes` blocks (y) each takes its turn of the layers.
template <typename T, int kPack>
struct ReadoutBody {
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / kWarp;
  Readout<T> a;
  int64_t stripes = 1;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    const int64_t source = a.source != nullptr ? a.source[block.x] : block.x;
    const T* w = a.head + a.tokens[block.x] * a.width;
    for (int64_t first = block.y * kWarps; first < a.layers; first += stripes * kWarps) {
      PerThread<float, kThreads> dots;
      block.each_own([&](int thread) {
        const int64_t layer = first + thread / kWarp;
        float dot = 0;
        if (layer < a.layers) {
          const T* hidden = a.hidden[layer] + source * a.width;
          for (int64_t i = int64_t{thread % kWarp} * kPack; i < a.width; i += kWarp * kPack) {
            const auto x = load_pack<kPack>(hidden + i), y = load_pack<kPack>(w + i);
            for (int j = 0; j < kPack; ++j) dot += to_float(x.values[j]) * to_float(y.values[j]);
          }
        }
        dots[thread] = dot;
      });
      block.warp_sum(dots);
      block.each_own([&](int thread) {
        const int64_t layer = first + thread / kWarp;
        if (thread % kWarp == 0 && layer < a.layers) a.values[block.x * a.layers + layer] = dots[thread];
      });
    }
  }
};

}  // namespace harness::cuda
