// fp16: to and from float, rounding to nearest even, on any processor.
#pragma once

#include <cstdint>

namespace harness {

// Exact.
float float_from_fp16(uint16_t bits);
// Beyond 65504 (after rounding): infinity.
uint16_t fp16_from_float(float value);

}  // namespace harness
