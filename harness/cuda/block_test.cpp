// What the host stand of a block finds: shared memory out of bounds, and races that a barrier would have prevented.
#include "harness/cuda/block.h"

#include <gtest/gtest.h>

#include <cmath>

namespace harness::cuda {
namespace {

constexpr int kThreads = 64;

// Every thread writes its own value; after a barrier (or without one) it reads its neighbour's.
void read_neighbour(bool barrier, bool backwards) {
  Block<kThreads> block(0, 0, backwards);
  MEDSBENCH_SHARED(int, values, kThreads);
  PerThread<int, kThreads> seen;
  block.each_own([&](int thread) { values[thread] = thread; });
  if (barrier) block.each([](int) {});
  block.each([&](int thread) { seen[thread] = values[(thread + 1) % kThreads]; });
  for (int thread = 0; thread < kThreads; ++thread) ASSERT_EQ(seen[thread], (thread + 1) % kThreads);
}

TEST(HostBlock, AReadOfAnotherThreadsWriteNeedsABarrier) {
  for (const bool backwards : {false, true}) {
    read_neighbour(true, backwards);
    EXPECT_THROW(read_neighbour(false, backwards), std::logic_error);
  }
}

TEST(HostBlock, AWriteAfterAnotherThreadsReadNeedsABarrier) {
  Block<kThreads> block(0, 0, false);
  MEDSBENCH_SHARED(int, value, 1);
  block.each([&](int thread) {
    if (thread == 0) value[0] = 1;
  });
  int sum = 0;
  block.each_own([&](int) { sum += value[0]; });
  EXPECT_EQ(sum, kThreads);
  EXPECT_THROW(block.each([&](int thread) {
    if (thread == 5) value[0] = 2;
  }),
               std::logic_error);
}

TEST(HostBlock, ABarrierOfTheWarpOrdersThatWarpAlone) {
  Block<kThreads> block(0, 0, false);
  MEDSBENCH_SHARED(int, values, kThreads);
  PerThread<float, kThreads> numbers;
  block.each_own([&](int thread) {
    values[thread] = thread;
    numbers[thread] = 1;
  });
  block.warp_sum(numbers);
  block.each_own([&](int thread) { EXPECT_EQ(values[thread ^ 1], thread ^ 1); });
  EXPECT_THROW(block.each_own([&](int thread) { EXPECT_EQ(values[thread ^ kWarp], thread ^ kWarp); }), std::logic_error);
}

TEST(HostBlock, TwoThreadsThatWriteOneValueRace) {
  Block<kThreads> block(0, 0, false);
  MEDSBENCH_SHARED(int, value, 1);
  EXPECT_THROW(block.each([&](int thread) { value[0] = thread; }), std::logic_error);
}

TEST(HostBlock, SharedMemoryKnowsItsBounds) {
  Block<kThreads> block(0, 0, false);
  MEDSBENCH_SHARED(int, values, 4);
  EXPECT_THROW(block.each([&](int thread) { values[thread] = 1; }), std::logic_error);
}

// Each thread begins to copy one pack; it or its neighbour reads it with and without waiting.
TEST(HostBlock, ACopyIsThereOnceItsThreadHasWaited) {
  alignas(16) const float from[4] = {1, 2, 3, 4};
  for (const bool waits : {false, true}) {
    for (const bool there : {false, true}) {
      Block<kThreads> block(0, 0, false);
      MEDSBENCH_SHARED(float, values, 4 * kThreads);
      block.each([&](int thread) {
        block.start_copy<4>(thread, values, 4 * thread, from, there);
        if (waits) block.wait_copies(thread);
      });
      block.each_own([&](int thread) {
        const float found = values[4 * ((thread + 1) % kThreads) + 2];
        if (waits) {
          EXPECT_EQ(found, there ? 3.0f : 0.0f);
        } else {
          EXPECT_TRUE(std::isnan(found));
        }
      });
    }
  }
}

TEST(HostBlock, ACopyRacesFromItsBeginning) {
  alignas(16) const float from[8] = {};
  Block<kThreads> block(0, 0, false);
  MEDSBENCH_SHARED(float, values, 8);
  block.each_own([&](int thread) {
    if (thread == 0) block.start_copy<4>(0, values, 0, from, true);
  });
  EXPECT_THROW(block.each_own([&](int thread) {
    if (thread == 40) static_cast<void>(values[1] + 0.0f);
  }),
               std::logic_error);
  EXPECT_THROW(block.start_copy<4>(0, values, 2, from, true), std::logic_error) << "an address off its alignment";
  EXPECT_THROW(block.start_copy<4>(0, values, 4, from + 1, true), std::logic_error) << "a source off its alignment";
}

TEST(HostBlock, SumsAndMaximaReachEveryThread) {
  Block<kThreads> block(0, 0, false);
  PerThread<float, kThreads> numbers;
  block.each_own([&](int thread) { numbers[thread] = static_cast<float>(thread); });
  PerThread<float, kThreads> warps = numbers, eights = numbers, largest = numbers, all = numbers;
  block.warp_sum(warps);
  block.group_sum<8>(eights);
  block.warp_max(largest);
  for (int thread = 0; thread < kThreads; ++thread) {
    EXPECT_EQ(warps[thread], thread < kWarp ? 496.0f : 1520.0f);
    EXPECT_EQ(eights[thread], static_cast<float>(thread / 8 * 64 + 28));
    EXPECT_EQ(largest[thread], thread < kWarp ? 31.0f : 63.0f);
  }
  EXPECT_EQ(block.sum(all), 2016.0f);
  EXPECT_EQ(block.max(numbers), 63.0f);
}

}  // namespace
}  // namespace harness::cuda
