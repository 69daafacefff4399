// The kernels, compiled once an instruction set: the includer defines MEDSBENCH_KERNEL_SET (a namespace name).
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "harness/model/cpu/attention_body.h"
#include "harness/model/cpu/row_kernels.h"
#include "harness/model/cpu/vectors_body.h"

namespace harness::kernels::MEDSBENCH_KERNEL_SET {

namespace {

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
  const int64_t count = (vocabulary + kBlock - 1) / kBlock;
  Room<double> blocks(count);
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
    blocks[begin / kBlock] = static_cast<double>(sum_lanes(sum));
    total += blocks[begin / kBlock];
  }
  const double target = uniform * total;
  double before = 0;
  int64_t block = 0;
  while (block + 1 < count && before + blocks[block] <= target) before += blocks[block++];
  const int64_t begin = block * kBlock;
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
