// The kernels, compiled once an instruction set: the includer defines MEDSBENCH_KERNEL_SET (a namespace name).
#pragma once

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "harness/model/cpu/row_kernels.h"

namespace harness::kernels::MEDSBENCH_KERNEL_SET {

namespace {

typedef float Float16 __attribute__((vector_size(64)));
typedef int32_t Int16 __attribute__((vector_size(64)));
typedef uint16_t Half16 __attribute__((vector_size(32)));
typedef float Float8 __attribute__((vector_size(32)));
typedef int32_t Lanes8 __attribute__((vector_size(32)));
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
Float16 select(Int16 mask, Float16 yes, Float16 no) { return mask ? yes : no; }
// The first `count` lanes of `value`, the rest `fill`.
Float16 keep(Float16 value, int64_t count, float fill) {
  constexpr Int16 kLane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return select(kLane < static_cast<int32_t>(count), value, splat(fill));
}
template <typename T>
Float16 load_part(const T* p, int64_t count, float fill = 0) {
  if (count == kLanes) return load(p);
#ifdef __AVX512F__
  if constexpr (std::is_same_v<T, float>) {
    return _mm512_mask_loadu_ps(splat(fill), static_cast<__mmask16>((1u << count) - 1), p);
  }
#endif
  float lanes[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) lanes[i] = fill;
  for (int64_t i = 0; i < count; ++i) lanes[i] = to_float(p[i]);
  return load(lanes);
}
template <typename T>
void store_part(T* p, Float16 value, int64_t count) {
  if (count == kLanes) return store(p, value);
#ifdef __AVX512F__
  if constexpr (std::is_same_v<T, float>) {
    return _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), value);
  }
#endif
  float lanes[kLanes];
  store(lanes, value);
  for (int64_t i = 0; i < count; ++i) p[i] = from_float<T>(lanes[i]);
}

Float8 half_of(Float16 v, int64_t index) {
  Float8 half[2];
  std::memcpy(half, &v, sizeof v);
  return half[index];
}
// A fixed tree: the same sum whatever the instruction set.
float sum_lanes(Float16 v) {
  Float8 h = half_of(v, 0) + half_of(v, 1);
  h += __builtin_shuffle(h, Lanes8{4, 5, 6, 7, 0, 1, 2, 3});
  h += __builtin_shuffle(h, Lanes8{2, 3, 0, 1, 6, 7, 4, 5});
  return h[0] + h[1];
}
float max_lanes(Float16 v) {
  const Float8 low = half_of(v, 0), high = half_of(v, 1);
  Float8 h = low > high ? low : high;
  const auto with = [&h](Lanes8 order) {
    const Float8 other = __builtin_shuffle(h, order);
    h = h > other ? h : other;
  };
  with(Lanes8{4, 5, 6, 7, 0, 1, 2, 3});
  with(Lanes8{2, 3, 0, 1, 6, 7, 4, 5});
  return h[0] > h[1] ? h[0] : h[1];
}
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

Float16 joined(Float8 low, Float8 high) {
  const Float8 halves[2] = {low, high};
  Float16 out;
  std::memcpy(&out, halves, sizeof out);
  return out;
}
Float8 load8(const float* p) {
  Float8 out;
  std::memcpy(&out, p, sizeof out);
  return out;
}

// Heads of 16 dimensions, each one vector: the same numbers as rotate_head, `cosine` twice over and `sine` with its sign.
template <typename T>
void rotate_vector(const T* in, const Float16* norm, Float16 cosine, Float16 sine, T* out, float eps) {
  Float16 x = load(in);
  if (norm != nullptr) x = x * (1.0f / std::sqrt(sum_lanes(x * x) / 16.0f + eps)) * *norm;
  const Float16 turned = joined(half_of(x, 1), half_of(x, 0));
  store(out, x * cosine + turned * sine);
}

template <typename T>
void split_rotate(const T* qkv, const T* q_norm, const T* k_norm, const float* cosine, const float* sine,
                  const int64_t* positions, T* q, T* k, int64_t rows, HeadShape s, float eps) {
  const int64_t half = s.dim / 2, stride = (s.heads + 2 * s.kv_heads) * s.dim;
  const bool vectors = s.dim == kLanes;
  const Float16 q_weight = vectors && q_norm != nullptr ? load(q_norm) : Float16{};
  const Float16 k_weight = vectors && k_norm != nullptr ? load(k_norm) : Float16{};
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = qkv + row * stride;
    const float* c = cosine + positions[row] * half;
    const float* sn = sine + positions[row] * half;
    T* q_out = q + row * s.heads * s.dim;
    T* k_out = k + row * s.kv_heads * s.dim;
    if (vectors) {
      const Float16 c16 = joined(load8(c), load8(c)), s16 = joined(-load8(sn), load8(sn));
      for (int64_t h = 0; h < s.heads; ++h) {
        rotate_vector(in + h * kLanes, q_norm == nullptr ? nullptr : &q_weight, c16, s16, q_out + h * kLanes, eps);
      }
      in += s.heads * kLanes;
      for (int64_t h = 0; h < s.kv_heads; ++h) {
        rotate_vector(in + h * kLanes, k_norm == nullptr ? nullptr : &k_weight, c16, s16, k_out + h * kLanes, eps);
      }
      continue;
    }
    for (int64_t h = 0; h < s.heads; ++h) rotate_head(in + h * s.dim, q_norm, c, sn, q_out + h * s.dim, s.dim, eps);
    in += s.heads * s.dim;
    for (int64_t h = 0; h < s.kv_heads; ++h) rotate_head(in + h * s.dim, k_norm, c, sn, k_out + h * s.dim, s.dim, eps);
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

// Heads of 16 dimensions: the same numbers as rotate_head_backward, `cosine` twice over and `sine` with the sign of its turn
// back.
template <typename T>
void rotate_vector_backward(const T* dout, const T* in, const Float16* norm, Float16 cosine, Float16 sine, T* din,
                            Float16& dnorm, float eps) {
  const Float16 d = load(dout);
  const Float16 g = d * cosine + joined(half_of(d, 1), half_of(d, 0)) * sine;
  if (norm == nullptr) return store(din, g);
  const Float16 x = load(in), weighted = g * *norm;
  const float r = 1.0f / std::sqrt(sum_lanes(x * x) / 16.0f + eps);
  float sum = 0;
  for (int64_t i = 0; i < kLanes; ++i) sum += weighted[i] * x[i];
  const float c = sum * r * r * r / 16.0f;
  store(din, weighted * r - x * c);
  dnorm += g * x * r;
}

template <typename T>
void split_rotate_backward(const T* dq, const T* dk, const T* dv, const T* qkv, const T* q_norm, const T* k_norm,
                           const float* cosine, const float* sine, const int64_t* positions, T* dqkv, float* dq_norm,
                           float* dk_norm, int64_t rows, HeadShape s, float eps) {
  const int64_t half = s.dim / 2, stride = (s.heads + 2 * s.kv_heads) * s.dim;
  const bool vectors = s.dim == kLanes;
  const Float16 q_weight = vectors && q_norm != nullptr ? load(q_norm) : Float16{};
  const Float16 k_weight = vectors && k_norm != nullptr ? load(k_norm) : Float16{};
  Float16 dq16 = vectors && q_norm != nullptr ? load(dq_norm) : Float16{};
  Float16 dk16 = vectors && k_norm != nullptr ? load(dk_norm) : Float16{};
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = qkv + row * stride;
    T* out = dqkv + row * stride;
    const float* c = cosine + positions[row] * half;
    const float* sn = sine + positions[row] * half;
    if (vectors) {
      const Float16 c16 = joined(load8(c), load8(c)), s16 = joined(load8(sn), -load8(sn));
      for (int64_t h = 0; h < s.heads; ++h, in += kLanes, out += kLanes) {
        rotate_vector_backward(dq + (row * s.heads + h) * kLanes, in, q_norm == nullptr ? nullptr : &q_weight, c16, s16, out,
                               dq16, eps);
      }
      for (int64_t h = 0; h < s.kv_heads; ++h, in += kLanes, out += kLanes) {
        rotate_vector_backward(dk + (row * s.kv_heads + h) * kLanes, in, k_norm == nullptr ? nullptr : &k_weight, c16, s16, out,
                               dk16, eps);
      }
    } else {
      for (int64_t h = 0; h < s.heads; ++h, in += s.dim, out += s.dim) {
        rotate_head_backward(dq + (row * s.heads + h) * s.dim, in, q_norm, c, sn, out, dq_norm, s.dim, eps);
      }
      for (int64_t h = 0; h < s.kv_heads; ++h, in += s.dim, out += s.dim) {
        rotate_head_backward(dk + (row * s.kv_heads + h) * s.dim, in, k_norm, c, sn, out, dk_norm, s.dim, eps);
      }
    }
    std::memcpy(out, dv + row * s.kv_heads * s.dim, sizeof(T) * static_cast<size_t>(s.kv_heads * s.dim));
  }
  if (vectors && q_norm != nullptr) store(dq_norm, dq16);
  if (vectors && k_norm != nullptr) store(dk_norm, dk16);
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

// Softmax attention of one task; `scores` [H][blocks], `queries` [H][E] and `out` [H][P / 16] are room for it.
template <typename T>
class TaskAttention {
 public:
  TaskAttention(HeadShape shape, float scale) : s_(shape), scale_(scale), share_(shape.heads / shape.kv_heads) {
    queries_.resize(static_cast<size_t>(s_.heads * s_.dim) + kLanes);
    out_.resize(static_cast<size_t>(s_.heads * vectors_of()));
    best_.resize(static_cast<size_t>(s_.heads));
  }

  void attend(const AttentionTask<T>& task) {
    const int64_t prefix_blocks = (task.prefix_count + kLanes - 1) / kLanes;
    stride_ = prefix_blocks + (task.own_count + kLanes - 1) / kLanes;
    if (scores_.size() < static_cast<size_t>(s_.heads * stride_)) scores_.resize(static_cast<size_t>(s_.heads * stride_ * 2));
    scale_queries(task.query);
    for (Float16& best : best_) best = splat(-std::numeric_limits<float>::infinity());
    for (Float16& out : out_) out = Float16{};
    score(task.prefix, task.prefix_count, 0);
    score(task.own, task.own_count, prefix_blocks);
    for (int64_t h = 0; h < s_.heads; ++h) {
      Float16* scores = scores_.data() + h * stride_;
      float& max = reinterpret_cast<float*>(&best_[static_cast<size_t>(h)])[0];
      max = max_lanes(best_[static_cast<size_t>(h)]);
      Float16 sum = exponentiate(scores, task.prefix_count, max, Float16{});
      sum = exponentiate(scores + prefix_blocks, task.own_count, max, sum);
      reinterpret_cast<float*>(&best_[static_cast<size_t>(h)])[1] = sum_lanes(sum);
    }
    weigh(task.prefix, task.prefix_count, 0);
    weigh(task.own, task.own_count, prefix_blocks);
    for (int64_t h = 0; h < s_.heads; ++h) {
      const float max = best_[static_cast<size_t>(h)][0], total = best_[static_cast<size_t>(h)][1];
      for (int64_t e = 0; e < s_.dim; e += kLanes) {
        store_part(task.out + h * s_.dim + e, out_[static_cast<size_t>(h * vectors_of() + e / kLanes)] / total,
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
  std::vector<Float16> scores_, out_;
  std::vector<Float16> best_;  // of a head: the largest score of each lane; then their largest and the sum of the weights
  std::vector<float> queries_;
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
constexpr Table<T> kTable = {
    rms_norm<T>,        rms_norm_backward<T>, split_rotate<T>, split_rotate_backward<T>, store_kv<T>, attend<T>, swiglu<T>,
    swiglu_backward<T>, logit_statistics<T>,  draw<T>,         logit_gradient<T>,        dot<T>};

}  // namespace

const Table<float>& fp32() { return kTable<float>; }
const Table<Bf16>& bf16() { return kTable<Bf16>; }
AttendBackward backward() { return attend_backward; }

}  // namespace harness::kernels::MEDSBENCH_KERNEL_SET
