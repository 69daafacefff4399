#include "harness/model/cpu/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace harness {

namespace {

// Two threads while it lives.
struct TwoThreads {
  TwoThreads() { at::set_num_threads(2); }
  ~TwoThreads() { at::set_num_threads(before); }
  int before = at::get_num_threads();
};

}  // namespace

TEST(ParallelFor, UsesAsManyThreadsAsLibTorchIsGivenAndCoversEveryIndexOnce) {
  const TwoThreads two;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::vector<int> seen(1001);
  parallel_for(0, 1001, 1, [&](int64_t from, int64_t to) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    for (int64_t i = from; i < to; ++i) ++seen[static_cast<size_t>(i)];
  });
  EXPECT_EQ(threads.size(), 2u);
  EXPECT_EQ(seen, std::vector<int>(1001, 1));
}

TEST(ParallelFor, StaysInTheCallersThreadWhereOnePieceIsEnough) {
  const TwoThreads two;
  std::vector<std::thread::id> threads;
  parallel_for(5, 10, 5, [&](int64_t from, int64_t to) {
    EXPECT_EQ(from, 5);
    EXPECT_EQ(to, 10);
    threads.push_back(std::this_thread::get_id());
  });
  EXPECT_EQ(threads, std::vector<std::thread::id>{std::this_thread::get_id()});
}

TEST(ParallelFor, RethrowsAnExceptionOfAnyThread) {
  const TwoThreads two;
  EXPECT_THROW(parallel_for(0, 100, 1,
                            [](int64_t, int64_t to) {
                              if (to == 100) throw std::runtime_error("x");
                            }),
               std::runtime_error);
}

}  // namespace harness
