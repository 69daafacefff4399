// The kernels compiled for avx512 (flags in CMakeLists.txt).
#define MEDSBENCH_KERNEL_SET avx512
#include "harness/model/cpu/row_kernels_body.h"
