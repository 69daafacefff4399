// Packs of numbers, of 16 bytes at most, as the kernels read and write them. One source for the GPU and for the host.
#pragma once

#include <cstdint>
#include <cstring>

#include "harness/core/bf16.h"

#ifdef __CUDACC__
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
