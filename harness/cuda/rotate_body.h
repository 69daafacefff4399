// Bodies of the embedding, of the head norm and rotary embedding with the write into the key-value store, of SwiGLU and AdamW.
#pragma once

#include "harness/cuda/block.h"
#include "harness/cuda/kernels.h"

namespace harness::cuda {

// A block a row; kPack values a thread at once.
template <typename T, int kPack>
struct EmbedBody {
  static constexpr int kThreads = 128;
  Embed<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    const int64_t source = a.sources[block.x], id = source >= 0 ? a.drawn[source] : a.ids[block.x];
    block.each_own([&](int thread) {
      for (int64_t i = int64_t{thread} * kPack; i < a.width; i += kThreads * kPack) {
        store_pack<kPack>(a.y + block.x * a.width + i, load_pack<kPack>(a.embedding + id * a.width + i));
      }
    });
  }
};

// A block a row, a warp a head: of `stripes` blocks (y) each takes its turn of the heads, the first the values.
template <typename T>
struct SplitRotateBody {
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / kWarp;
  SplitRotate<T> a;
  int64_t stripes = 1;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    const Heads& s = a.shape;
    const int64_t row = block.x, half = s.dim / 2, rotated = s.heads + s.kv_heads;
    const T* in = a.qkv + row * (s.heads + 2 * s.kv_heads) * s.dim;
    const float* c = a.cosine + a.positions[row] * half;
    const float* sn = a.sine + a.positions[row] * half;
    const bool stored = a.key_places != nullptr && a.key_places[row] != 0;
    const uint64_t deeper = stored ? static_cast<uint64_t>(a.layer) * a.layer_bytes[row] : 0;
    T* key_place = stored ? reinterpret_cast<T*>(a.key_places[row] + deeper) : nullptr;
    T* value_place = stored ? reinterpret_cast<T*>(a.value_places[row] + deeper) : nullptr;
    for (int64_t first = block.y * kWarps; first < rotated; first += stripes * kWarps) {
      PerThread<float, kThreads> squares;
      block.each_own([&](int thread) {
        const int64_t head = first + thread / kWarp;
        float square = 0;
        if (a.q_norm != nullptr && head < rotated) {
          for (int64_t e = thread % kWarp; e < s.dim; e += kWarp) {
            const float x = to_float(in[head * s.dim + e]);
            square += x * x;
          }
        }
        squares[thread] = square;
      });
      if (a.q_norm != nullptr) block.warp_sum(squares);
      block.each_own([&](int thread) {
        const int64_t head = first + thread / kWarp;
        if (head >= rotated) return;
        const bool query = head < s.heads;
        const T* norm = query ? a.q_norm : a.k_norm;
        T* k = a.k != nullptr ? a.k + (row * s.kv_heads + head - s.heads) * s.dim : nullptr;
        T* out = query ? a.q + (row * s.heads + head) * s.dim : k;
        T* place = query || !stored ? nullptr : key_place + (head - s.heads) * s.dim;
        const float r = norm == nullptr ? 1.0f : 1.0f / sqrtf(squares[thread] / static_cast<float>(s.dim) + a.eps);
        for (int64_t i = thread % kWarp; i < half; i += kWarp) {
          float x = to_float(in[head * s.dim + i]), y = to_float(in[head * s.dim + half + i]);
          if (norm != nullptr) {
            x = x * r * to_float(norm[i]);
            y = y * r * to_float(norm[half + i]);
          }
          const T low = from_float<T>(x * c[i] - y * sn[i]), high = from_float<T>(y * c[i] + x * sn[i]);
          if (out != nullptr) {
            out[i] = low;
            out[half + i] = high;
          }
          if (place != nullptr) {
            place[i] = low;
            place[half + i] = high;
          }
        }
      });
    }
    if (!stored || block.y != 0) return;
    block.each_own([&](int thread) {
      const T* v = in + rotated * s.dim;
      for (int64_t i = thread; i < s.kv_heads * s.dim; i += kThreads) value_place[i] = v[i];
    });
  }
};

// a / b; on a GPU to 2 units in the last place, and 0 where b is beyond 2^126.
MEDSBENCH_DEVICE float quotient(float a, float b) {
#ifdef __CUDACC__
  return __fdividef(a, b);
#else
  return a / b;
#endif
}

// kPack values of one row a thread; block x over all packs.
template <typename T, int kPack>
struct SwigluBody {
  static constexpr int kThreads = 256;
  Swiglu<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    block.each_own([&](int thread) {
      const int64_t packs = a.width / kPack, pack = block.x * kThreads + thread;
      if (pack >= a.rows * packs) return;
      const int64_t row = pack / packs, i = pack % packs * kPack;
      const T* gate_up = a.gate_up + row * 2 * a.width;
      auto gate = load_pack<kPack>(gate_up + i), up = load_pack<kPack>(gate_up + a.width + i);
      if (a.dy == nullptr) {
        for (int j = 0; j < kPack; ++j) {
          const float g = to_float(gate.values[j]);
          gate.values[j] = from_float<T>(quotient(g, 1.0f + expf(-g)) * to_float(up.values[j]));
        }
        store_pack<kPack>(a.y + row * a.width + i, gate);
        return;
      }
      const auto dy = load_pack<kPack>(a.dy + row * a.width + i);
      for (int j = 0; j < kPack; ++j) {
        const float g = to_float(gate.values[j]), u = to_float(up.values[j]), d = to_float(dy.values[j]);
        const float sigmoid = quotient(1.0f, 1.0f + expf(-g));
        gate.values[j] = from_float<T>(d * u * sigmoid * (1.0f + g * (1.0f - sigmoid)));
        up.values[j] = from_float<T>(d * g * sigmoid);
      }
      T* out = a.dgate_up + row * 2 * a.width;
      store_pack<kPack>(out + i, gate);
      store_pack<kPack>(out + a.width + i, up);
    });
  }
};

template <typename T>
struct AdamWBody {
  static constexpr int kThreads = 256;
  AdamW<T> a;

  MEDSBENCH_DEVICE void operator()(Block<kThreads>& block) const {
    block.each_own([&](int thread) {
      const int64_t i = block.x * kThreads + thread;
      if (i >= a.count) return;
      const float g = a.gradient[i] * a.gradient_scale;
      float p = a.master[i];
      p -= a.lr * a.weight_decay * p;
      const float first = a.beta1 * a.first[i] + (1.0f - a.beta1) * g;
      const float second = a.beta2 * a.second[i] + (1.0f - a.beta2) * g * g;
      p -= a.lr / a.correction1 * first / (sqrtf(second) / a.correction2_root + a.eps);
      a.master[i] = p;
      a.first[i] = first;
      a.second[i] = second;
      if (a.parameter != nullptr) a.parameter[i] = from_float<T>(p);
    });
  }
};

}  // namespace harness::cuda
