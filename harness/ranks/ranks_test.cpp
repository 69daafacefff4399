// Ranks as processes, and what is said when one of them goes.
#include "harness/ranks/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <functional>

#include "harness/core/error.h"
#include "harness/core/random.h"
#include "harness/ranks/testing.h"

namespace harness {
namespace {

// Runs body(ranks) as `size` ranks and waits for all.
void as_ranks(const std::string& name, int size, const std::function<void(Ranks&)>& body) {
  const std::string file = testing::TempDir() + "/ranks_" + name;
  std::filesystem::remove(file);
  run_as_processes(size, [&](int rank) { body(*Ranks::meet(file, rank, size)); });
  std::filesystem::remove(file);
}

torch::Tensor values_of(int rank, uint64_t key, int64_t count) {
  torch::Tensor out = torch::empty({count}, torch::kFloat32);
  const RandomStream stream("ranks test", {key, static_cast<uint64_t>(rank)});
  for (int64_t i = 0; i < count; ++i) out.data_ptr<float>()[i] = static_cast<float>(stream.normal(static_cast<uint64_t>(i)));
  return out;
}

TEST(Ranks, GatherTheBytesOfAllInTheirOrder) {
  for (const int size : {1, 2, 4}) {
    as_ranks("gather", size, [&](Ranks& ranks) {
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
  as_ranks("sum", 3, [&](Ranks& ranks) {
    std::vector<torch::Tensor> mine;
    for (size_t i = 0; i < sizes.size(); ++i) mine.push_back(values_of(ranks.rank(), i, sizes[i]));
    ranks.sum(mine);
    for (size_t i = 0; i < sizes.size(); ++i) EXPECT_TRUE(torch::equal(mine[i], expected[i])) << "tensor " << i;
  });
}

TEST(Ranks, ReduceScatterGivesEachItsShareOfTheSumToTheSameBytes) {
  for (const int64_t share : {int64_t{1}, int64_t{1000}, (int64_t{1} << 22) / 3 + 5}) {  // the last is sent in two pieces
    torch::Tensor expected = values_of(0, 9, 3 * share);
    for (int r = 1; r < 3; ++r) expected.add_(values_of(r, 9, 3 * share));
    as_ranks("reduce_scatter", 3, [&](Ranks& ranks) {
      const torch::Tensor mine = ranks.reduce_scatter(values_of(ranks.rank(), 9, 3 * share));
      EXPECT_TRUE(torch::equal(mine, expected.slice(0, ranks.rank() * share, (ranks.rank() + 1) * share))) << share;
    });
  }
}

TEST(Ranks, AllGatherPutsTheSharesTogetherInAnyType) {
  for (const int64_t share : {int64_t{1}, (int64_t{1} << 22) / 2}) {
    for (const auto type : {torch::kFloat32, torch::kBFloat16}) {
      std::vector<torch::Tensor> parts;
      for (int r = 0; r < 3; ++r) parts.push_back(values_of(r, 5, share).to(type));
      const torch::Tensor expected = torch::cat(parts);
      as_ranks("all_gather", 3, [&](Ranks& ranks) {
        torch::Tensor whole = torch::full({3 * share}, -7.0, torch::TensorOptions().dtype(type));
        whole.slice(0, ranks.rank() * share, (ranks.rank() + 1) * share).copy_(parts[static_cast<size_t>(ranks.rank())]);
        ranks.all_gather(whole);
        EXPECT_TRUE(torch::equal(whole, expected)) << share;
      });
    }
  }
}

TEST(Ranks, AllEndWithTheErrorThatOneFound) {
  as_ranks("agree", 3, [](Ranks& ranks) {
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
  const std::string file = testing::TempDir() + "/ranks_waiting";
  std::filesystem::remove(file);
  int calls = 0;
  const auto check = [&] {
    if (++calls == 3) throw Error("it ended");
  };
  try {
    Ranks::meet(file, 0, 2, torch::kCPU, check);
    ADD_FAILURE() << "it met nobody";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "it ended");
  }
  EXPECT_EQ(calls, 3);
}

TEST(Ranks, SayInOneLineThatOneHasEnded) {
  as_ranks("ended", 2, [](Ranks& ranks) {
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

}  // namespace
}  // namespace harness
