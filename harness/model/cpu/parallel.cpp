// The one file compiled for OpenMP: LibTorch's own at::parallel_for is a plain loop in code compiled without it.
#include "harness/model/cpu/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>

namespace harness {

void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t from, int64_t to)>& body) {
  if (begin >= end) return;
  const int64_t size = end - begin;
  const int64_t pieces = std::min<int64_t>(omp_get_max_threads(), (size + grain - 1) / grain);
  if (pieces <= 1 || omp_in_parallel() != 0) return body(begin, end);
  std::exception_ptr first;
#pragma omp parallel num_threads(static_cast <int>(pieces))
  {
    const int64_t threads = omp_get_num_threads(), piece = (size + threads - 1) / threads;
    const int64_t from = begin + omp_get_thread_num() * piece, to = std::min(end, from + piece);
    if (from < to) {
      try {
        body(from, to);
      } catch (...) {
#pragma omp critical
        if (first == nullptr) first = std::current_exception();
      }
    }
  }
  if (first != nullptr) std::rethrow_exception(first);
}

}  // namespace harness
