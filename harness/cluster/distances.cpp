#include "harness/cluster/distances.h"

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
void settle_newcomers(const int32_t* joins, const double* weights, int64_t n, double* nearest, uint8_t* settled) {
  const auto lanes_above = [&](int64_t node) {  // farther than the edge that made the node
    const double made = node < n ? -1 : weights[node - n];
    int64_t bits = 0;
    for (int64_t lane = 0; lane < kLanes; ++lane) bits |= static_cast<int64_t>(nearest[node * kLanes + lane] > made) << lane;
    return bits;
  };
  for (int64_t e = 0; e < n - 1; ++e) {
    const double weight = weights[e];
    double* __restrict here = nearest + (n + e) * kLanes;
    for (int64_t side = 0; side < 2; ++side) {
      const int64_t node = joins[2 * e + side];
      int64_t bits = 0;
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        bits |= static_cast<int64_t>(nearest[node * kLanes + lane] <= weight) << lane;
      }
      settled[node] = static_cast<uint8_t>(bits == 0 ? 0 : bits & lanes_above(node));
    }
    const double* __restrict a = nearest + joins[2 * e] * kLanes;
    const double* __restrict b = nearest + joins[2 * e + 1] * kLanes;
    for (int64_t lane = 0; lane < kLanes; ++lane) here[lane] = a[lane] < b[lane] ? a[lane] : b[lane];
  }
  settled[2 * n - 2] = static_cast<uint8_t>(lanes_above(2 * n - 2));
}

}  // namespace harness
