// The kernels, compiled once an instruction set: the includer defines MEDSBENCH_KERNEL_SET (a namespace name).
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "harness/model/cpu/row_kernels.h"

namespace harness::kernels::MEDSBENCH_KERNEL_SET {

namespace {

typedef float Float16 __attribute__((vector_size(64)));
typedef int32_t Int16 __attribute__((vector_size(64)));
typedef uint16_t Half16 __attribute__((vector_size(32)));
constexpr int64_t kLanes = 16;

Float16 splat(float value) { return Float16{} + value; }

Float16 load(const float* p) {
  Float16 out;
  std::memcpy(&out, p, sizeof out);
  return out;
}
Float16 load(const Bf16* p) {
  Half16 half;
  std::memcpy(&half, p, sizeof half);
  const Int16 bits = __builtin_convertvector(half, Int16) << 16;
  Float16 out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}
void store(float* p, Float16 value) { std::memcpy(p, &value, sizeof value); }
void store(Bf16* p, Float16 value) {
  Int16 bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Half16 half = __builtin_convertvector(bits, Half16);
  std::memcpy(p, &half, sizeof half);
}
// The first `count` lanes, the rest `fill`.
template <typename T>
Float16 load_part(const T* p, int64_t count, float fill = 0) {
  if (count == kLanes) return load(p);
  float lanes[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) lanes[i] = fill;
  for (int64_t i = 0; i < count; ++i) lanes[i] = to_float(p[i]);
  return load(lanes);
}
template <typename T>
void store_part(T* p, Float16 value, int64_t count) {
  if (count == kLanes) return store(p, value);
  float lanes[kLanes];
  store(lanes, value);
  for (int64_t i = 0; i < count; ++i) p[i] = from_float<T>(lanes[i]);
}

// A fixed tree: the same sum whatever the instruction set.
float sum_lanes(Float16 v) {
  float half[8];
  for (int i = 0; i < 8; ++i) half[i] = v[i] + v[i + 8];
  for (int i = 0; i < 4; ++i) half[i] += half[i + 4];
  return (half[0] + half[2]) + (half[1] + half[3]);
}
float max_lanes(Float16 v) {
  float best = v[0];
  for (int i = 1; i < 16; ++i) best = v[i] > best ? v[i] : best;
  return best;
}
Float16 select(Int16 mask, Float16 yes, Float16 no) { return mask ? yes : no; }
Float16 larger(Float16 a, Float16 b) { return select(a > b, a, b); }

// exp(x), at most 2 units in the last place for x in [-87, 88]; below it is about 1e-38 (callers mask -inf).
Float16 exponential(Float16 x) {
  x = larger(x, splat(-87.0f));
  x = select(x > splat(88.0f), splat(88.0f), x);
  const Float16 magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to the nearest integer
  const Float16 shifted = x * 1.44269504088896341f + magic;
  const Float16 n = shifted - magic;
  const Float16 r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Float16 p = splat(1.9875691500e-4f);  // minimax polynomial of Cephes' expf
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Int16 exponent = (__builtin_convertvector(n, Int16) + 127) << 23;
  Float16 power;
  std::memcpy(&power, &exponent, sizeof power);
  return p * power;
}

template <typename T>
float dot(const T* a, const T* b, int64_t width) {
  Float16 sum{};
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) sum += load(a + i) * load(b + i);
  if (i < width) sum += load_part(a + i, width - i) * load_part(b + i, width - i);
  return sum_lanes(sum);
}

template <typename T>
void rms_norm(const T* x, const T* w, T* y, float* rstd, int64_t rows, int64_t width, float eps) {
  for (int64_t row = 0; row < rows; ++row, x += width, y += width) {
    const float r = 1.0f / std::sqrt(dot(x, x, width) / static_cast<float>(width) + eps);
    if (rstd != nullptr) rstd[row] = r;
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) store(y + i, load(x + i) * r * load(w + i));
    if (i < width) store_part(y + i, load_part(x + i, width - i) * r * load_part(w + i, width - i), width - i);
  }
}

template <typename T>
void rms_norm_backward(const T* dy, const T* x, const T* w, const float* rstd, T* dx, float* dw, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; ++row, x += width, dy += width, dx += width) {
    const float r = rstd[row];
    Float16 sum{};
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) sum += load(dy + i) * load(w + i) * load(x + i);
    if (i < width) sum += load_part(dy + i, width - i) * load_part(w + i, width - i) * load_part(x + i, width - i);
    const float c = sum_lanes(sum) * r * r * r / static_cast<float>(width);
    for (i = 0; i + kLanes <= width; i += kLanes) {
      const Float16 g = load(dy + i), value = load(x + i);
      store(dx + i, load(dx + i) + (g * load(w + i) * r - value * c));
      store(dw + i, load(dw + i) + g * value * r);
    }
    for (; i < width; ++i) {
      const float g = to_float(dy[i]), value = to_float(x[i]);
      dx[i] = from_float<T>(to_float(dx[i]) + (g * to_float(w[i]) * r - value * c));
      dw[i] += g * value * r;
    }
  }
}

// One head: normalise (if norm), then rotate halves: (a, b) -> (a cos - b sin, b cos + a sin).
template <typename T>
void rotate_head(const T* in, const T* norm, const float* cosine, const float* sine, T* out, int64_t dim, float eps) {
  const float r = norm == nullptr ? 1.0f : 1.0f / std::sqrt(dot(in, in, dim) / static_cast<float>(dim) + eps);
  const int64_t half = dim / 2;
  for (int64_t i = 0; i < half; i += kLanes) {
    const int64_t n = half - i < kLanes ? half - i : kLanes;
    Float16 a = load_part(in + i, n), b = load_part(in + half + i, n);
    if (norm != nullptr) {
      a = a * r * load_part(norm + i, n);
      b = b * r * load_part(norm + half + i, n);
    }
    const Float16 c = load_part(cosine + i, n), s = load_part(sine + i, n);
    store_part(out + i, a * c - b * s, n);
    store_part(out + half + i, b * c + a * s, n);
  }
}

template <typename T>
void split_rotate(const T* qkv, const T* q_norm, const T* k_norm, const float* cosine, const float* sine,
                  const int64_t* positions, T* q, T* k, int64_t rows, HeadShape s, float eps) {
  const int64_t half = s.dim / 2, stride = (s.heads + 2 * s.kv_heads) * s.dim;
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = qkv + row * stride;
    const float* c = cosine + positions[row] * half;
    const float* sn = sine + positions[row] * half;
    for (int64_t h = 0; h < s.heads; ++h)
      rotate_head(in + h * s.dim, q_norm, c, sn, q + (row * s.heads + h) * s.dim, s.dim, eps);
    in += s.heads * s.dim;
    for (int64_t h = 0; h < s.kv_heads; ++h) {
      rotate_head(in + h * s.dim, k_norm, c, sn, k + (row * s.kv_heads + h) * s.dim, s.dim, eps);
    }
  }
}

template <typename T>
void rotate_head_backward(const T* dout, const T* in, const T* norm, const float* cosine, const float* sine, T* din,
                          float* dnorm, int64_t dim, float eps) {
  const int64_t half = dim / 2;
  float g[kMostHeadDim];  // gradient before the rotation
  for (int64_t i = 0; i < half; ++i) {
    const float da = to_float(dout[i]), db = to_float(dout[half + i]);
    g[i] = da * cosine[i] + db * sine[i];
    g[half + i] = db * cosine[i] - da * sine[i];
  }
  if (norm == nullptr) {
    for (int64_t i = 0; i < dim; ++i) din[i] = from_float<T>(g[i]);
    return;
  }
  const float r = 1.0f / std::sqrt(dot(in, in, dim) / static_cast<float>(dim) + eps);
  float sum = 0;
  for (int64_t i = 0; i < dim; ++i) sum += g[i] * to_float(norm[i]) * to_float(in[i]);
  const float c = sum * r * r * r / static_cast<float>(dim);
  for (int64_t i = 0; i < dim; ++i) {
    const float value = to_float(in[i]);
    din[i] = from_float<T>(g[i] * to_float(norm[i]) * r - value * c);
    dnorm[i] += g[i] * value * r;
  }
}

template <typename T>
void split_rotate_backward(const T* dq, const T* dk, const T* dv, const T* qkv, const T* q_norm, const T* k_norm,
                           const float* cosine, const float* sine, const int64_t* positions, T* dqkv, float* dq_norm,
                           float* dk_norm, int64_t rows, HeadShape s, float eps) {
  const int64_t half = s.dim / 2, stride = (s.heads + 2 * s.kv_heads) * s.dim;
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = qkv + row * stride;
    T* out = dqkv + row * stride;
    const float* c = cosine + positions[row] * half;
    const float* sn = sine + positions[row] * half;
    for (int64_t h = 0; h < s.heads; ++h, in += s.dim, out += s.dim) {
      rotate_head_backward(dq + (row * s.heads + h) * s.dim, in, q_norm, c, sn, out, dq_norm, s.dim, eps);
    }
    for (int64_t h = 0; h < s.kv_heads; ++h, in += s.dim, out += s.dim) {
      rotate_head_backward(dk + (row * s.kv_heads + h) * s.dim, in, k_norm, c, sn, out, dk_norm, s.dim, eps);
    }
    std::memcpy(out, dv + row * s.kv_heads * s.dim, sizeof(T) * static_cast<size_t>(s.kv_heads * s.dim));
  }
}

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

// Scaled scores of one query against `count` keys, in blocks of 16; lanes beyond `count` are -inf. Returns the block maximum.
template <typename T>
Float16 block_scores(const float* query, const T* keys, int64_t count, int64_t dim, Float16* scores, Float16 best) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (int64_t j = 0; j < count; j += kLanes) {
    Float16 even{}, odd{};  // two chains hide the latency of the fused multiply-add
    const T* block = keys + j * dim;
    int64_t e = 0;
    for (; e + 1 < dim; e += 2) {
      even += query[e] * load(block + e * kLanes);
      odd += query[e + 1] * load(block + (e + 1) * kLanes);
    }
    if (e < dim) even += query[e] * load(block + e * kLanes);
    Float16 s = even + odd;
    if (count - j < kLanes) {
      for (int64_t lane = count - j; lane < kLanes; ++lane) s[lane] = -infinity;
    }
    scores[j / kLanes] = s;
    best = larger(s, best);
  }
  return best;
}

// scores -> exp(scores - max) in place; lanes beyond `count` are 0.
Float16 exponentiate(Float16* scores, int64_t count, float max, Float16 sum) {
  for (int64_t j = 0; j < count; j += kLanes) {
    Float16 p = exponential(scores[j / kLanes] - max);
    if (count - j < kLanes) {
      for (int64_t lane = count - j; lane < kLanes; ++lane) p[lane] = 0;
    }
    scores[j / kLanes] = p;
    sum += p;
  }
  return sum;
}

template <typename T, int64_t kVectors>
void add_values(const float* weights, const T* values, int64_t count, Float16* out) {
  Float16 sum[kVectors];
  for (int64_t i = 0; i < kVectors; ++i) sum[i] = out[i];
  for (int64_t j = 0; j < count; ++j) {
    for (int64_t i = 0; i < kVectors; ++i) sum[i] += weights[j] * load(values + (j * kVectors + i) * kLanes);
  }
  for (int64_t i = 0; i < kVectors; ++i) out[i] = sum[i];
}

template <typename T>
void add_values(const float* weights, const T* values, int64_t count, int64_t vectors, Float16* out) {
  switch (vectors) {
    case 1:
      return add_values<T, 1>(weights, values, count, out);
    case 2:
      return add_values<T, 2>(weights, values, count, out);
    case 4:
      return add_values<T, 4>(weights, values, count, out);
    case 8:
      return add_values<T, 8>(weights, values, count, out);
    default:
      for (int64_t j = 0; j < count; ++j) {
        for (int64_t i = 0; i < vectors; ++i) out[i] += weights[j] * load(values + (j * vectors + i) * kLanes);
      }
  }
}

template <typename T>
void attend(const AttentionTask<T>* tasks, int64_t count, HeadShape s, float scale) {
  const int64_t padded = s.padded(), vectors = padded / kLanes, share = s.heads / s.kv_heads;
  std::vector<Float16> scores;
  float query[kMostHeadDim];
  Float16 out[kMostHeadDim / kLanes];
  for (const AttentionTask<T>* task = tasks; task != tasks + count; ++task) {
    const int64_t prefix_blocks = (task->prefix_count + kLanes - 1) / kLanes;
    const int64_t own_blocks = (task->own_count + kLanes - 1) / kLanes;
    if (scores.size() < static_cast<size_t>(prefix_blocks + own_blocks)) {
      scores.resize(static_cast<size_t>(prefix_blocks + own_blocks) + 16);
    }
    for (int64_t h = 0; h < s.heads; ++h) {
      const int64_t kv = h / share;
      for (int64_t e = 0; e < s.dim; ++e) query[e] = to_float(task->query[h * s.dim + e]) * scale;
      Float16 best = splat(-std::numeric_limits<float>::infinity());
      best = block_scores(query, task->prefix.keys + kv * task->prefix.capacity * s.dim, task->prefix_count, s.dim,
                          scores.data(), best);
      best = block_scores(query, task->own.keys + kv * task->own.capacity * s.dim, task->own_count, s.dim,
                          scores.data() + prefix_blocks, best);
      const float max = max_lanes(best);
      Float16 sum = exponentiate(scores.data(), task->prefix_count, max, Float16{});
      sum = exponentiate(scores.data() + prefix_blocks, task->own_count, max, sum);
      for (int64_t i = 0; i < vectors; ++i) out[i] = Float16{};
      const auto* weights = reinterpret_cast<const float*>(scores.data());
      add_values(weights, task->prefix.values + kv * task->prefix.capacity * padded, task->prefix_count, vectors, out);
      add_values(weights + prefix_blocks * kLanes, task->own.values + kv * task->own.capacity * padded, task->own_count,
                 vectors, out);
      const float total = sum_lanes(sum);
      for (int64_t e = 0; e < s.dim; ++e) {
        task->out[h * s.dim + e] = from_float<T>(out[e / kLanes][e % kLanes] / total);
      }
      if (task->lse != nullptr) task->lse[h] = max + std::log(total);
    }
  }
}

// One query head against `count` keys of one segment. With p = exp(score - lse), dp = <dout, v>, ds = p (dp - delta):
// dq += ds k scale, dk += ds q scale, dv += p dout. Keys and values come in transposed blocks, key rows [count, P] and
// gradients [.., P] in fp32; `query` is unscaled.
template <typename T>
void attend_backward(const float* query, const float* dout, float lse, float delta, float scale, const T* keys,
                     const T* value_blocks, const float* key_rows, int64_t count, int64_t dim, float* dq, float* dk,
                     float* dv) {
  const int64_t vectors = (dim + kLanes - 1) / kLanes;
  for (int64_t j = 0; j < count; j += kLanes) {
    Float16 score{}, dp{};
    for (int64_t e = 0; e < dim; ++e) {
      score += query[e] * load(keys + (j * dim) + e * kLanes);
      dp += dout[e] * load(value_blocks + (j * dim) + e * kLanes);
    }
    const Float16 p = exponential(score * scale - lse);
    const Float16 ds = p * (dp - delta) * scale;
    const int64_t lanes = count - j < kLanes ? count - j : kLanes;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const int64_t row = (j + lane) * vectors * kLanes;
      const float d = ds[lane], weight = p[lane];
      for (int64_t i = 0; i < vectors * kLanes; i += kLanes) {
        store(dq + i, load(dq + i) + d * load(key_rows + row + i));
        store(dk + row + i, load(dk + row + i) + d * load(query + i));
        store(dv + row + i, load(dv + row + i) + weight * load(dout + i));
      }
    }
  }
}

template <typename T>
void swiglu(const T* gate_up, T* y, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; ++row, gate_up += 2 * width, y += width) {
    for (int64_t i = 0; i < width; i += kLanes) {
      const int64_t n = width - i < kLanes ? width - i : kLanes;
      const Float16 gate = load_part(gate_up + i, n), up = load_part(gate_up + width + i, n);
      const Float16 out = gate / (1.0f + exponential(-gate)) * up;
      store_part(y + i, out, n);
    }
  }
}

template <typename T>
void swiglu_backward(const T* dy, const T* gate_up, T* dgate_up, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; ++row, gate_up += 2 * width, dgate_up += 2 * width, dy += width) {
    for (int64_t i = 0; i < width; i += kLanes) {
      const int64_t n = width - i < kLanes ? width - i : kLanes;
      const Float16 gate = load_part(gate_up + i, n), up = load_part(gate_up + width + i, n), g = load_part(dy + i, n);
      const Float16 sigmoid = 1.0f / (1.0f + exponential(-gate));
      store_part(dgate_up + i, g * up * sigmoid * (1.0f + gate * (1.0f - sigmoid)), n);
      store_part(dgate_up + width + i, g * gate * sigmoid, n);
    }
  }
}

template <typename T>
LogitStatistics logit_statistics(const T* z, int64_t vocabulary, float inverse_temperature) {
  const float infinity = std::numeric_limits<float>::infinity();
  Float16 best = splat(-infinity);
  int64_t i = 0;
  for (; i + kLanes <= vocabulary; i += kLanes) best = larger(load(z + i), best);
  const int64_t rest = vocabulary - i;
  if (rest > 0) best = larger(load_part(z + i, rest, -infinity), best);
  LogitStatistics out;
  out.max = max_lanes(best) * inverse_temperature;
  Float16 sum{}, moment{};
  for (i = 0; i + kLanes <= vocabulary; i += kLanes) {
    const Float16 d = load(z + i) * inverse_temperature - out.max;
    const Float16 e = exponential(d);
    sum += e;
    moment += e * d;
  }
  if (rest > 0) {
    const Float16 d = load_part(z + i, rest) * inverse_temperature - out.max;
    const Float16 e = exponential(d);
    for (int64_t lane = 0; lane < rest; ++lane) {
      sum[lane] += e[lane];
      moment[lane] += e[lane] * d[lane];
    }
  }
  out.sum = sum_lanes(sum);
  out.moment = sum_lanes(moment);
  return out;
}

template <typename T>
int64_t draw(const T* z, int64_t vocabulary, float inverse_temperature, const LogitStatistics& statistics, double uniform) {
  constexpr int64_t kBlock = 1024;
  const auto weights = [&](int64_t i, int64_t n) {
    return exponential(load_part(z + i, n) * inverse_temperature - statistics.max);
  };
  // Sums of blocks first: the total and the block in which the target falls.
  std::vector<double> blocks;
  double total = 0;
  for (int64_t begin = 0; begin < vocabulary; begin += kBlock) {
    const int64_t end = begin + kBlock < vocabulary ? begin + kBlock : vocabulary;
    Float16 sum{};
    for (int64_t i = begin; i < end; i += kLanes) {
      const int64_t n = end - i < kLanes ? end - i : kLanes;
      const Float16 w = weights(i, n);
      if (n == kLanes) {
        sum += w;
      } else {
        for (int64_t lane = 0; lane < n; ++lane) sum[lane] += w[lane];
      }
    }
    blocks.push_back(static_cast<double>(sum_lanes(sum)));
    total += blocks.back();
  }
  const double target = uniform * total;
  double before = 0;
  size_t block = 0;
  while (block + 1 < blocks.size() && before + blocks[block] <= target) before += blocks[block++];
  const int64_t begin = static_cast<int64_t>(block) * kBlock;
  const int64_t end = begin + kBlock < vocabulary ? begin + kBlock : vocabulary;
  int64_t last = begin;
  for (int64_t i = begin; i < end; i += kLanes) {
    const int64_t n = end - i < kLanes ? end - i : kLanes;
    const Float16 w = weights(i, n);
    for (int64_t lane = 0; lane < n; ++lane) {
      before += static_cast<double>(w[lane]);
      if (before > target) return i + lane;
      if (w[lane] > 1e-30f) last = i + lane;  // rounding may leave the target beyond the last weight
    }
  }
  return last;
}

template <typename T>
void logit_gradient(T* z, int64_t vocabulary, float inverse_temperature, const LogitStatistics& statistics, int64_t token,
                    float log_prob_gradient, float entropy_gradient) {
  const float log_sum = std::log(statistics.sum), entropy = statistics.entropy();
  const float inverse_sum = 1.0f / statistics.sum;
  for (int64_t i = 0; i < vocabulary; i += kLanes) {
    const int64_t n = vocabulary - i < kLanes ? vocabulary - i : kLanes;
    const Float16 d = load_part(z + i, n) * inverse_temperature - statistics.max;
    const Float16 p = exponential(d) * inverse_sum;
    // d log p_t / dz_j = [j = t] - p_j ; dH / dz_j = -p_j (log p_j + H)
    Float16 g = -p * log_prob_gradient;
    if (entropy_gradient != 0) g -= p * (d - log_sum + entropy) * entropy_gradient;
    if (token >= i && token < i + n) g[token - i] += log_prob_gradient;
    g *= inverse_temperature;
    store_part(z + i, g, n);
  }
}

template <typename T>
constexpr Table<T> kTable = {rms_norm<T>,         rms_norm_backward<T>,
                             split_rotate<T>,     split_rotate_backward<T>,
                             store_kv<T>,         attend<T>,
                             swiglu<T>,           swiglu_backward<T>,
                             logit_statistics<T>, draw<T>,
                             logit_gradient<T>,   dot<T>,
                             attend_backward<T>};

}  // namespace

const Table<float>& fp32() { return kTable<float>; }
const Table<Bf16>& bf16() { return kTable<Bf16>; }

}  // namespace harness::kernels::MEDSBENCH_KERNEL_SET
