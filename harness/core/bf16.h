// bf16: the upper half of a float, rounded to nearest even. One source for the host and for the GPU.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#define MEDSBENCH_NUMBER __device__ __forceinline__
#else
// What is compiled for one instruction set must not become the function of all.
#define MEDSBENCH_NUMBER [[gnu::always_inline]] inline
#endif

namespace harness {

struct Bf16 {
  uint16_t bits;
};

MEDSBENCH_NUMBER float to_float(float value) { return value; }
MEDSBENCH_NUMBER float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
#ifdef __CUDACC__
  return __uint_as_float(bits);
#else
  float out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
#endif
}

// T is float or Bf16; a NaN stays one.
template <typename T>
MEDSBENCH_NUMBER T from_float(float value);
template <>
MEDSBENCH_NUMBER float from_float<float>(float value) {
  return value;
}
template <>
MEDSBENCH_NUMBER Bf16 from_float<Bf16>(float value) {
#ifdef __CUDACC__
  return Bf16{__bfloat16_as_ushort(__float2bfloat16_rn(value))};
#else
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return {0x7fc0};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
#endif
}

}  // namespace harness

#undef MEDSBENCH_NUMBER
