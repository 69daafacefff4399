// The matrix products compiled for avx2 (flags in CMakeLists.txt).
#define MEDSBENCH_KERNEL_SET avx2
#define MEDSBENCH_VECTOR_BYTES 32
#include "harness/model/cpu/products_body.h"
