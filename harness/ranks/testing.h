// For tests: ranks as processes forked from the test. (As threads of one process, Gloo's own tables may be written by several
// at once.)
#pragma once

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <vector>

#include "harness/core/testing.h"
#include "harness/ranks/ranks.h"

namespace harness {

// Runs body(rank) in `size` processes and waits for all; a failure or an exception in one fails the test.
inline void run_as_processes(int size, const std::function<void(int rank)>& body) {
  std::vector<pid_t> children;
  std::fflush(nullptr);
  for (int rank = 0; rank < size; ++rank) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      at::set_num_threads(1);  // OpenMP's threads did not come along in the fork: a loop over them would wait for ever
      try {
        body(rank);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "rank " << rank << ": " << error.what();
      }
      std::fflush(nullptr);
      _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    children.push_back(child);
  }
  for (size_t rank = 0; rank < children.size(); ++rank) {
    int status = 0;
    ASSERT_EQ(waitpid(children[rank], &status, 0), children[rank]);
    EXPECT_EQ(status, 0) << "rank " << rank << " of " << size;
  }
}

// Runs body(ranks) as `size` ranks and waits for all.
inline void run_as_ranks(int size, const std::function<void(Ranks&)>& body) {
  const ScratchFolder folder;
  run_as_processes(size, [&](int rank) { body(*Ranks::meet(folder.path("rendezvous"), rank, size)); });
}

}  // namespace harness
