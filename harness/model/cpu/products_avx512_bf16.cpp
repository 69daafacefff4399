// The matrix products compiled for avx512 with its products of pairs of bf16 (flags in CMakeLists.txt).
#define MEDSBENCH_KERNEL_SET avx512_bf16
#define MEDSBENCH_VECTOR_BYTES 64
#define MEDSBENCH_PAIRS
#include "harness/model/cpu/products_body.h"
