// Freed memory, counted by the system, in processes of their own: the setting is for good.
#include "harness/train/states/heap.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>
#include <vector>

#include "harness/ranks/testing.h"

namespace harness {
namespace {

#ifdef __GLIBC__

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// A share of 6 MiB stays behind every gathered layer of 24 MiB that comes and goes, as in a training. MiB beyond the shares.
double left_of_freed_layers() {
  const auto block = [](int64_t mib) { return torch::ones({mib << 18}, torch::kFloat32); };
  block(31);  // the largest block for which glibc raises its size
  const double before = resident_mib();
  std::vector<torch::Tensor> shares;
  std::vector<torch::Tensor> layers;
  for (int layer = 0; layer < 6; ++layer) {
    layers.push_back(block(24));
    shares.push_back(block(6));
  }
  layers.clear();
  return resident_mib() - before - 6 * 6;
}

TEST(Heap, GivesFreedLayersBackThatLieBetweenSharesThatStay) {
  run_as_processes(1, [](int) { EXPECT_GT(left_of_freed_layers(), 100) << "there is nothing to mend"; });
  run_as_processes(1, [](int) {
    give_back_freed_blocks();
    EXPECT_LT(left_of_freed_layers(), 12);
  });
}

#endif

}  // namespace
}  // namespace harness
