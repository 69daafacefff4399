// The kernels compiled for x86_64 (flags in CMakeLists.txt).
#define MEDSBENCH_KERNEL_SET x86_64
#include "harness/model/cpu/row_kernels_body.h"
