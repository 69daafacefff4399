// Vectors of 16 lanes, compiled once an instruction set: loads, stores, sums in a fixed order, exp. The includer defines
// MEDSBENCH_KERNEL_SET (a namespace name).
#pragma once

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "harness/core/bf16.h"

namespace harness::kernels::MEDSBENCH_KERNEL_SET {

namespace {

typedef float Float16 __attribute__((vector_size(64)));
typedef int32_t Int16 __attribute__((vector_size(64)));
typedef uint16_t Half16 __attribute__((vector_size(32)));
typedef float Float8 __attribute__((vector_size(32)));
typedef int32_t Lanes8 __attribute__((vector_size(32)));
constexpr int64_t kLanes = 16;

// Room for `size` elements, none of them set. Not std::vector: functions of a template that several objects bring are kept once
// for all, whatever instruction set they were compiled for (row_kernels_test.cpp).
template <typename T>
class Room {
 public:
  explicit Room(int64_t size = 0) { grow(size); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() { ::operator delete(data_, kAlignment); }

  // What was in it is lost.
  void grow(int64_t size) {
    if (size <= size_) return;
    ::operator delete(data_, kAlignment);
    data_ = nullptr;
    data_ = static_cast<T*>(::operator new(static_cast<size_t>(size) * sizeof(T), kAlignment));
    size_ = size;
  }
  [[nodiscard]] T* data() { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  T* data_ = nullptr;
  int64_t size_ = 0;
};

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

}  // namespace

}  // namespace harness::kernels::MEDSBENCH_KERNEL_SET
