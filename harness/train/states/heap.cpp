#include "harness/train/states/heap.h"

#include <cstdlib>  // brings __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace harness {

void keep_freed_blocks() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that it takes
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

void give_back_freed_blocks() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);  // what smaller blocks leave at the heap's end is used again: the activations of a pass
#endif
}

}  // namespace harness
