// Numbers of the kernels: bf16 beside fp32, and packs of 16 bytes. One source for the GPU and for the host.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#define MEDSBENCH_DEVICE __device__ __forceinline__
#define MEDSBENCH_UNROLL _Pragma("unroll")    // arrays indexed in the loop then stay in registers
#define MEDSBENCH_ROLLED _Pragma("unroll 1")  // what one turn loads is not loaded before the turn
#else
#define MEDSBENCH_DEVICE inline
#define MEDSBENCH_UNROLL
#define MEDSBENCH_ROLLED
#include <stdexcept>
#endif

namespace harness::cuda {

struct Bf16 {
  uint16_t bits;
};

MEDSBENCH_DEVICE float to_float(float value) { return value; }
MEDSBENCH_DEVICE float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
#ifdef __CUDACC__
  return __uint_as_float(bits);
#else
  float out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
#endif
}

template <typename T>
MEDSBENCH_DEVICE T from_float(float value);
template <>
MEDSBENCH_DEVICE float from_float<float>(float value) {
  return value;
}
// Rounds to nearest even.
template <>
MEDSBENCH_DEVICE Bf16 from_float<Bf16>(float value) {
#ifdef __CUDACC__
  return Bf16{__bfloat16_as_ushort(__float2bfloat16_rn(value))};
#else
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isnan(value)) return {0x7fc0};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
#endif
}

// kCount neighbouring values, read and written at once; of 16 bytes at most a piece.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount < 16 ? sizeof(T) * kCount : 16) Pack {
  T values[kCount];
};

// The host stands in for the GPU here too: an address that a GPU could not read at once is an error.
template <typename P>
MEDSBENCH_DEVICE void check_alignment(const void* address) {
#ifndef __CUDACC__
  if (reinterpret_cast<uintptr_t>(address) % alignof(P) != 0) throw std::logic_error("a pack that is not aligned");
#else
  (void)address;
#endif
}

template <int kCount, typename T>
MEDSBENCH_DEVICE Pack<T, kCount> load_pack(const T* from) {
  check_alignment<Pack<T, kCount>>(from);
#ifdef __CUDACC__
  return *reinterpret_cast<const Pack<T, kCount>*>(from);
#else
  Pack<T, kCount> out;
  std::memcpy(&out, from, sizeof out);
  return out;
#endif
}

template <int kCount, typename T>
MEDSBENCH_DEVICE void store_pack(T* to, const Pack<T, kCount>& pack) {
  check_alignment<Pack<T, kCount>>(to);
#ifdef __CUDACC__
  *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
#else
  std::memcpy(to, &pack, sizeof pack);
#endif
}

}  // namespace harness::cuda
