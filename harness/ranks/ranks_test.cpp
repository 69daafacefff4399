// Ranks as processes, and what is said when one of them goes.
#include "harness/ranks/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/types.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/random.h"
#include "harness/core/testing.h"
#include "harness/ranks/processes.h"
#include "harness/ranks/testing.h"

namespace harness {
namespace {

torch::Tensor values_of(int rank, uint64_t key, int64_t count) {
  torch::Tensor out = torch::empty({count}, torch::kFloat32);
  const RandomStream stream("ranks test", {key, static_cast<uint64_t>(rank)});
  for (int64_t i = 0; i < count; ++i) out.data_ptr<float>()[i] = static_cast<float>(stream.normal(static_cast<uint64_t>(i)));
  return out;
}

TEST(Ranks, GatherTheBytesOfAllInTheirOrder) {
  for (const int size : {1, 2, 4}) {
    run_as_ranks(size, [&](Ranks& ranks) {
      const auto all = ranks.gather(std::string(static_cast<size_t>(ranks.rank()), static_cast<char>('a' + ranks.rank())));
      ASSERT_EQ(all.size(), static_cast<size_t>(size));
      for (int r = 0; r < size; ++r)
        EXPECT_EQ(all[static_cast<size_t>(r)], std::string(static_cast<size_t>(r), static_cast<char>('a' + r)));
      EXPECT_EQ(ranks.from_first(fmt::format("of {}", ranks.rank())), "of 0");
      EXPECT_TRUE(ranks.any(ranks.rank() == size - 1));
      EXPECT_FALSE(ranks.any(false));
    });
  }
}

TEST(Ranks, SumInTheOrderOfRanksToTheSameBytesEverywhere) {
  const std::vector<int64_t> sizes = {1, 1000, 3, (int64_t{1} << 22) + 5};  // the last is sent in two pieces
  std::vector<torch::Tensor> expected;
  for (size_t i = 0; i < sizes.size(); ++i) {
    expected.push_back(values_of(0, i, sizes[i]));
    for (int r = 1; r < 3; ++r) expected.back().add_(values_of(r, i, sizes[i]));
  }
  run_as_ranks(3, [&](Ranks& ranks) {
    std::vector<torch::Tensor> mine;
    for (size_t i = 0; i < sizes.size(); ++i) mine.push_back(values_of(ranks.rank(), i, sizes[i]));
    ranks.sum(mine);
    for (size_t i = 0; i < sizes.size(); ++i) EXPECT_TRUE(torch::equal(mine[i], expected[i])) << "tensor " << i;
  });
}

TEST(Ranks, ReduceScatterGivesEachItsShareOfTheSumToTheSameBytes) {
  for (const int64_t share : {int64_t{1}, int64_t{1000}, (int64_t{1} << 20) / 3 + 5}) {  // the last is sent in three pieces
    torch::Tensor expected = values_of(0, 9, 3 * share);
    for (int r = 1; r < 3; ++r) expected.add_(values_of(r, 9, 3 * share));
    run_as_ranks(3, [&](Ranks& ranks) {
      const torch::Tensor mine = ranks.reduce_scatter(values_of(ranks.rank(), 9, 3 * share));
      EXPECT_TRUE(torch::equal(mine, expected.slice(0, ranks.rank() * share, (ranks.rank() + 1) * share))) << share;
    });
  }
}

TEST(Ranks, AllGatherPutsTheSharesTogetherInAnyType) {
  for (const int64_t share : {int64_t{1}, (int64_t{1} << 20) / 2 + 5}) {  // the last goes in several pieces
    for (const auto type : {torch::kFloat32, torch::kBFloat16}) {
      std::vector<torch::Tensor> parts;
      for (int r = 0; r < 3; ++r) parts.push_back(values_of(r, 5, share).to(type));
      const torch::Tensor expected = torch::cat(parts);
      run_as_ranks(3, [&](Ranks& ranks) {
        torch::Tensor whole = torch::full({3 * share}, -7.0, torch::TensorOptions().dtype(type));
        whole.slice(0, ranks.rank() * share, (ranks.rank() + 1) * share).copy_(parts[static_cast<size_t>(ranks.rank())]);
        ranks.all_gather(whole);
        EXPECT_TRUE(torch::equal(whole, expected)) << share;
      });
    }
  }
}

TEST(Ranks, AllEndWithTheErrorThatOneFound) {
  run_as_ranks(3, [](Ranks& ranks) {
    EXPECT_NO_THROW(ranks.agree(""));
    try {
      ranks.agree(ranks.rank() == 0 ? "" : fmt::format("of {}", ranks.rank()));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()), "of 1");
    }
  });
}

TEST(Ranks, StopWaitingForOneThatEndedBeforeItCame) {
  const ScratchFolder folder;
  int calls = 0;
  const auto check = [&] {
    if (++calls == 3) throw Error("it ended");
  };
  try {
    Ranks::meet(folder.path("rendezvous"), 0, 2, torch::kCPU, check);
    ADD_FAILURE() << "it met nobody";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "it ended");
  }
  EXPECT_EQ(calls, 3);
}

TEST(Ranks, SayInOneLineThatOneHasEnded) {
  run_as_ranks(2, [](Ranks& ranks) {
    ranks.any(false);
    if (ranks.rank() == 1) return;  // it leaves
    try {
      ranks.any(false);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_THAT(std::string(error.what()), testing::HasSubstr("expected 2 processes, found that one has ended"));
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  });
}

TEST(Ranks, FinishWhenTheWorkOfAllIsDone) {
  const ScratchFolder folder;
  int about_to_finish[2];
  ASSERT_EQ(::pipe(about_to_finish), 0);
  run_as_ranks(3, [&](Ranks& ranks) {
    char mark = 0;
    if (ranks.rank() == 2) {  // the last one works until the others have nothing left but to finish
      for (int others = 0; others < 2; ++others) ASSERT_EQ(::read(about_to_finish[0], &mark, 1), 1);
      write_file_atomically(folder.path("done"), "");
    } else {
      ASSERT_EQ(::write(about_to_finish[1], &mark, 1), 1);
    }
    ranks.finish();
    EXPECT_TRUE(std::filesystem::exists(folder.path("done")));
    EXPECT_NO_THROW(ranks.give_up());  // too late to break anything off
  });
  for (const int end : about_to_finish) ::close(end);
  run_as_ranks(2, [](Ranks& ranks) {
    ranks.any(false);
    if (ranks.rank() == 1) return;
    EXPECT_THROW(ranks.finish(), Error);
  });
}

// A child that runs `body` and then ends with the exit status that it returns.
pid_t start_child(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}

// Waits until the child has ended and leaves it to be collected.
void wait_until_ended(pid_t child) {
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
}

TEST(WatchProcesses, TellsOnceOfARankThatIsKilledAndLeavesItToBeCollected) {
  const ScratchFolder folder;
  run_as_processes(1, [&](int) {  // both ranks and the thread that watches: none of the test's own process
    const std::string file = folder.path("rendezvous");
    std::vector<pid_t> children;
    for (int rank = 1; rank < 3; ++rank) {
      children.push_back(start_child([&, rank] {
        const auto ranks = Ranks::meet(file, rank, 3);
        ranks->any(false);
        if (rank == 1) ::raise(SIGKILL);
        ::pause();  // as one that computes on, or whose GPU waits
        return 0;
      }));
    }
    const auto ranks = Ranks::meet(file, 0, 3);
    std::atomic<int> calls = 0;
    std::jthread watch = watch_processes(children, [&] {
      ++calls;
      ranks->give_up();
    });
    ranks->any(false);
    watch.join();  // once it has called, it looks no more
    EXPECT_EQ(calls, 1);
    EXPECT_THROW(ranks->any(false), Error);
    ::kill(children[1], SIGKILL);
    for (const pid_t child : children) {
      int status = 0;
      EXPECT_EQ(waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    }
  });
}

TEST(WatchProcesses, TellsOfAnExitStatusButNotOfAProcessThatEndsAsItShould) {
  run_as_processes(1, [](int) {
    for (const int status : {0, 1}) {
      const pid_t child = start_child([=] { return status; });
      wait_until_ended(child);
      EXPECT_EQ(has_failed(child), status == 1);
      if (status == 1) {
        std::atomic<int> calls = 0;
        watch_processes({child}, [&] { ++calls; }).join();
        EXPECT_EQ(calls, 1);
      }
      int ended = 0;
      EXPECT_EQ(waitpid(child, &ended, 0), child);
      EXPECT_TRUE(WIFEXITED(ended));
      EXPECT_FALSE(has_failed(child)) << "it is no longer known";
    }
  });
}

// One process alone meets nobody, but every call goes through NCCL, in every type that it is called with.
TEST(GpuRanks, OneAloneGetsBackWhatItGave) {
#ifdef MEDSBENCH_CUDA
  if (!torch::cuda::is_available()) GTEST_SKIP() << "skipped without a GPU: LibTorch finds none";
  const ScratchFolder folder;
  const torch::Device device(torch::kCUDA, 0);
  const auto ranks = Ranks::meet(folder.path("rendezvous"), 0, 1, device);
  const torch::Tensor numbers = values_of(0, 3, (int64_t{1} << 22) + 5);  // summed in two pieces
  const std::vector<torch::Tensor> sum = {numbers.to(device), numbers.slice(0, 0, 3).to(device)};
  ranks->sum(sum);
  EXPECT_TRUE(torch::equal(sum[0].cpu(), numbers));
  EXPECT_TRUE(torch::equal(sum[1].cpu(), numbers.slice(0, 0, 3)));
  EXPECT_TRUE(torch::equal(ranks->reduce_scatter(numbers.to(device)).cpu(), numbers));
  for (const auto type : {torch::kFloat32, torch::kBFloat16}) {
    torch::Tensor whole = numbers.to(device, type);
    ranks->all_gather(whole);
    EXPECT_TRUE(torch::equal(whole.cpu(), numbers.to(type)));
  }
  EXPECT_EQ(ranks->from_first("of 0"), "of 0");
  ranks->finish();
  ranks->give_up();  // too late to break anything off
#else
  GTEST_SKIP() << "skipped without a GPU: built without CUDA";
#endif
}

}  // namespace
}  // namespace harness
