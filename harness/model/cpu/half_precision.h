// Half precision: conversions between float and the 16-bit formats, rounding to nearest even, on any processor.
#pragma once

#include <cstdint>

namespace harness {

float float_from_fp16(uint16_t bits);
float float_from_bf16(uint16_t bits);
// Beyond 65504 (after rounding): infinity.
uint16_t fp16_from_float(float value);
uint16_t bf16_from_float(float value);

}  // namespace harness
