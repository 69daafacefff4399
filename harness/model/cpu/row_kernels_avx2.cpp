// The kernels compiled for avx2 (flags in CMakeLists.txt).
#define MEDSBENCH_KERNEL_SET avx2
#include "harness/model/cpu/row_kernels_body.h"
