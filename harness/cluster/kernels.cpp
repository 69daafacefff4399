#include "harness/cluster/kernels.h"

#include <bit>
#include <cstring>
#include <limits>

#include "harness/cluster/points.h"

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__)
#define MEDSBENCH_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define MEDSBENCH_CLONES
#endif

namespace harness {

namespace {

// Eight lanes; the compiler splits them where registers are narrower.
typedef double Doubles __attribute__((vector_size(64)));
static_assert(sizeof(Doubles) == kLanes * sizeof(double));

}  // namespace

MEDSBENCH_CLONES
void squared_distances(const double* points, int64_t blocks, int64_t dimension, const double* query, double* out) {
  for (int64_t block = 0; block < blocks; ++block) {
    const double* rows = points + block * dimension * kLanes;
    Doubles sum = {};
    for (int64_t k = 0; k < dimension; ++k) {
      Doubles row;
      std::memcpy(&row, rows + k * kLanes, sizeof row);
      const Doubles difference = row - query[k];
      sum += difference * difference;
    }
    std::memcpy(out + block * kLanes, &sum, sizeof sum);
  }
}

MEDSBENCH_CLONES
int64_t next_block_below(const double* values, int64_t block, int64_t blocks, double bound) {
  for (; block < blocks; ++block) {
    int64_t below = 0;
    for (int64_t lane = 0; lane < kLanes; ++lane) below |= static_cast<int64_t>(values[block * kLanes + lane] < bound);
    if (below != 0) break;
  }
  return block;
}

MEDSBENCH_CLONES
double relax_edges(int64_t count, int64_t vertex, const double* __restrict lengths, double* __restrict best,
                   int64_t* __restrict source) {
  // Squared lengths are not negative, so their bits as integers have their order; a minimum of integers vectorises.
  auto least = std::bit_cast<int64_t>(std::numeric_limits<double>::infinity());
  for (int64_t i = 0; i < count; ++i) {
    const double length = lengths[i];
    const double old = best[i];
    const int64_t from = source[i];
    const bool better = (length < old) | ((length == old) & (vertex < from));
    const double kept = better ? length : old;
    best[i] = kept;
    source[i] = better ? vertex : from;
    const auto bits = std::bit_cast<int64_t>(kept);
    least = bits < least ? bits : least;
  }
  return std::bit_cast<double>(least);
}

MEDSBENCH_CLONES
void squared_distances_to_block(const double* points, int64_t count, int64_t dimension, const double* newcomers, double* out) {
  for (int64_t i = 0; i < count; ++i) {
    const double* point = points + i / kLanes * dimension * kLanes + i % kLanes;
    Doubles sum = {};
    for (int64_t k = 0; k < dimension; ++k) {
      Doubles row;
      std::memcpy(&row, newcomers + k * kLanes, sizeof row);
      const Doubles difference = row - point[k * kLanes];
      sum += difference * difference;
    }
    std::memcpy(out + i * kLanes, &sum, sizeof sum);
  }
}

MEDSBENCH_CLONES
void spread_bottlenecks(const int32_t* order, const int32_t* parent, const double* weight, int64_t n, double* reach) {
  for (int64_t place = n - 1; place > 0; --place) {  // up: from the leaves to the root
    const int32_t v = order[place];
    const double* __restrict here = reach + v * kLanes;
    double* __restrict above = reach + parent[v] * kLanes;
    const double edge = weight[v];
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const double through = here[lane] > edge ? here[lane] : edge;
      above[lane] = through < above[lane] ? through : above[lane];
    }
  }
  for (int64_t place = 1; place < n; ++place) {  // down again
    const int32_t v = order[place];
    double* __restrict here = reach + v * kLanes;
    const double* __restrict above = reach + parent[v] * kLanes;
    const double edge = weight[v];
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const double through = above[lane] > edge ? above[lane] : edge;
      here[lane] = through < here[lane] ? through : here[lane];
    }
  }
}

MEDSBENCH_CLONES
void compare_lanes(const double* direct, const double* reach, int64_t n, uint8_t* out) {
  for (int64_t v = 0; v < n; ++v) {
    int64_t bits = 0;
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      bits |= static_cast<int64_t>(direct[v * kLanes + lane] <= reach[v * kLanes + lane]) << lane;
    }
    out[v] = static_cast<uint8_t>(bits);
  }
}

}  // namespace harness
