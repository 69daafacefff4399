// Dequantisation: the floats that a GGUF tensor's packed blocks stand for.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/model/gguf/gguf.h"

namespace harness {

// One row of the tensor, [row_length] float32: the same single-precision operations as ggml and the `gguf` package, hence the
// same bits, for F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K and Q6_K.
std::vector<float> dequantise_row(const GgufTensor& tensor, int64_t row);

}  // namespace harness
