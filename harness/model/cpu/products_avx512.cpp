// The matrix products compiled for avx512 (flags in CMakeLists.txt).
#define MEDSBENCH_KERNEL_SET avx512
#define MEDSBENCH_VECTOR_BYTES 64
#include "harness/model/cpu/products_body.h"
