#include "harness/train/states/heap.h"

#include <cstdlib>  // brings __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace harness {

void keep_freed_blocks() {
#ifdef __GLIBC__
  constexpr int kAhead = 256 << 20;     // address space of the heap to come, of which nothing is held until it is written to
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that it takes
  mallopt(M_TOP_PAD, kAhead);
  mallopt(M_TRIM_THRESHOLD, 2 * kAhead);
  constexpr uintptr_t kLargePage = 2 << 20;
  const auto before = reinterpret_cast<uintptr_t>(::sbrk(0));
  std::free(std::malloc(16 << 20));  // more than the heap has free: it grows
  const uintptr_t begin = (before + kLargePage - 1) / kLargePage * kLargePage, end = reinterpret_cast<uintptr_t>(::sbrk(0));
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // advice only
#endif
}

void give_back_freed_blocks() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TOP_PAD, 128 << 10);        // as glibc has it
  mallopt(M_TRIM_THRESHOLD, 64 << 20);  // what smaller blocks leave at the heap's end is used again: the activations of a pass
#endif
}

}  // namespace harness
