#include "harness/cluster/kernels.h"

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
typedef int64_t Integers __attribute__((vector_size(64)));
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
double relax_edges(const double* points, int64_t blocks, int64_t dimension, const double* query, int64_t vertex, double* best,
                   int64_t* source) {
  Doubles smallest = Doubles{} + std::numeric_limits<double>::infinity();
  const Integers joined = Integers{} + vertex;
  for (int64_t block = 0; block < blocks; ++block) {
    const double* rows = points + block * dimension * kLanes;
    Doubles sum = {};
    for (int64_t k = 0; k < dimension; ++k) {
      Doubles row;
      std::memcpy(&row, rows + k * kLanes, sizeof row);
      const Doubles difference = row - query[k];
      sum += difference * difference;
    }
    Doubles length;
    Integers from;
    std::memcpy(&length, best + block * kLanes, sizeof length);
    std::memcpy(&from, source + block * kLanes, sizeof from);
    const Integers better = (sum < length) | ((sum == length) & (joined < from));
    length = better ? sum : length;
    from = better ? joined : from;
    std::memcpy(best + block * kLanes, &length, sizeof length);
    std::memcpy(source + block * kLanes, &from, sizeof from);
    smallest = length < smallest ? length : smallest;
  }
  double least = smallest[0];
  for (int lane = 1; lane < kLanes; ++lane) least = smallest[lane] < least ? smallest[lane] : least;
  return least;
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
    double* above = reach + parent[v] * kLanes;
    Doubles here;
    Doubles there;
    std::memcpy(&here, reach + v * kLanes, sizeof here);
    std::memcpy(&there, above, sizeof there);
    const Doubles edge = Doubles{} + weight[v];
    const Doubles through = here > edge ? here : edge;
    there = through < there ? through : there;
    std::memcpy(above, &there, sizeof there);
  }
  for (int64_t place = 1; place < n; ++place) {  // down again
    const int32_t v = order[place];
    Doubles here;
    Doubles there;
    std::memcpy(&here, reach + v * kLanes, sizeof here);
    std::memcpy(&there, reach + parent[v] * kLanes, sizeof there);
    const Doubles edge = Doubles{} + weight[v];
    const Doubles through = there > edge ? there : edge;
    here = through < here ? through : here;
    std::memcpy(reach + v * kLanes, &here, sizeof here);
  }
}

}  // namespace harness
