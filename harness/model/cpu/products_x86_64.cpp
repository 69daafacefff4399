// The matrix products compiled for x86_64 (flags in CMakeLists.txt).
#define MEDSBENCH_KERNEL_SET x86_64
#define MEDSBENCH_VECTOR_BYTES 16
#include "harness/model/cpu/products_body.h"
