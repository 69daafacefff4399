// A loop over rows on the threads of one process (OpenMP's pool, the one that LibTorch's own operations use).
#pragma once

#include <cstdint>
#include <functional>

namespace harness {

// Calls body(from, to) for pieces of [begin, end), each at least `grain` long, on as many threads as at::set_num_threads
// allows; inside another parallel loop, or where one piece is enough, in the caller's thread. The first exception is rethrown.
void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t from, int64_t to)>& body);

}  // namespace harness
