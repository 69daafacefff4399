// A training by several ranks (processes) against the same training by one.
#include "harness/train/step/over_ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "harness/train/states/shares.h"
#include "harness/train/step/update.h"
#include "harness/train/testing.h"

namespace harness {
namespace {

TEST(OverRanks, SampleTheResponsesThatOneProcessSamples) {
  const ToyRun toy;
  const auto policy = toy.policy();
  std::vector<GenerationRequest> requests;
  for (uint64_t i = 0; i < 5; ++i) {
    GenerationRequest request{{static_cast<int64_t>(i), 3, 4}, {}};
    for (uint64_t s = 0; s < 1 + i; ++s) request.streams.emplace_back("ranks", std::initializer_list<uint64_t>{i, s});
    requests.push_back(request);
  }
  GeneratorSettings settings;
  settings.sampling.max_new_tokens = 9;
  settings.readout = true;
  settings.stop_ids = {0};
  const auto alone = generate(*policy, requests, settings);
  for (const int size : {2, 4, 7}) {
    run_as_ranks(size, [&](Ranks& ranks) {
      GenerationTotals totals;
      const auto shared = generate_over_ranks(&ranks, *policy, requests, settings, totals);
      ASSERT_EQ(shared.size(), alone.size());
      for (size_t i = 0; i < alone.size(); ++i) {
        ASSERT_EQ(shared[i].size(), alone[i].size());
        for (size_t s = 0; s < alone[i].size(); ++s) {
          EXPECT_EQ(shared[i][s].ids, alone[i][s].ids);
          EXPECT_EQ(shared[i][s].log_probs, alone[i][s].log_probs);
          EXPECT_EQ(shared[i][s].entropies, alone[i][s].entropies);
          EXPECT_EQ(shared[i][s].readout, alone[i][s].readout);
          EXPECT_EQ(shared[i][s].stopped, alone[i][s].stopped);
        }
      }
    });
  }
}

TEST(OverRanks, ScoreARowToTheBytesOfOneProcessAndEachItsShareAlone) {
  const ToyRun toy;
  const auto policy = toy.policy();
  const ToyRows sampled(toy, {1, 2, 3, 4});
  const RowStatistics alone = score_rows(*policy, {sampled.rows, toy.settings});
  ASSERT_EQ(alone.log_probs.size(), 10u);
  for (const Shard shard : {Shard::none, Shard::parameters}) {
    for (const int64_t micro_batch : {0, 2}) {
      for (const int size : {2, 4, 11}) {  // of 11 the last has no row; of 4 in passes of two, the last has one pass less
        run_as_ranks(size, [&](Ranks& ranks) {
          TrainSettings settings = toy.settings;
          settings.shard = shard;
          settings.micro_batch_responses = micro_batch;
          const auto mine = toy.policy();
          std::unique_ptr<SharedStates> shares;
          if (shard == Shard::parameters) shares = std::make_unique<SharedStates>(*mine, ranks, shard);
          int64_t scored = 0;
          MemorySizes sizes;
          MemoryLimits limits(settings, torch::kCPU, &ranks, sizes, {{}, [&](Pass, int64_t rows) { scored += rows; }});
          const RowStatistics shared = score_rows(*mine, {sampled.rows, settings, "test", &limits, &ranks});
          EXPECT_TRUE(shared.log_probs == alone.log_probs) << size << " ranks, " << shard_name(shard);
          EXPECT_TRUE(shared.entropies == alone.entropies) << size << " ranks, " << shard_name(shard);
          const int64_t share = (10 + size - 1) / size;
          EXPECT_EQ(scored, std::clamp<int64_t>(10 - share * ranks.rank(), 0, share));
        });
      }
    }
  }
}

TEST(OverRanks, RecomputedAndReferenceLogProbsTrainToWithinRoundingOfOneProcess) {
  ToyRun toy = touchy_run();
  toy.settings.steps = 2;
  toy.settings.recompute_old_log_probs = true;
  toy.settings.importance_cap = 2;
  const auto alone = toy.policy();
  toy.train_policy(*alone, toy.inputs("alone"), true);
  EXPECT_GT(largest_difference(*alone, *toy.policy()), 1e-5) << "nothing was learnt";
  for (const Shard shard : {Shard::none, Shard::parameters}) {
    toy.settings.shard = shard;
    for (const int size : {2, 4}) {
      const std::string run = fmt::format("{}_of_{}", shard_name(shard), size);
      const auto policies = train_as_ranks(toy, run, size);
      EXPECT_LT(largest_difference(*policies[0], *alone), 1e-5) << run;
      EXPECT_EQ(largest_difference(*policies[0], *policies[1]), 0) << run;
    }
  }
}

TEST(OverRanks, TrainToWithinRoundingOfOneProcess) {
  const ToyRun toy = touchy_run();
  const auto alone = toy.policy();
  toy.train_policy(*alone, toy.inputs("alone"), true);
  EXPECT_GT(largest_difference(*alone, *toy.policy()), 1e-4) << "nothing was learnt";
  for (const int size : {2, 4}) {
    const auto policies = train_as_ranks(toy, fmt::format("of_{}", size), size);
    EXPECT_LT(largest_difference(*policies[0], *alone), 1e-5) << size << " ranks";
    for (int r = 1; r < size; ++r) {
      EXPECT_EQ(largest_difference(*policies[0], *policies[static_cast<size_t>(r)]), 0) << "rank " << r << " of " << size;
    }
  }
}

TEST(OverRanks, RepeatTheSameBytesAlsoAfterStopping) {
  for (const int size : {2, 4}) {
    ToyRun toy = touchy_run();
    train_as_ranks(toy, "first", size);
    train_as_ranks(toy, "second", size);
    toy.settings.steps = 2;
    train_as_ranks(toy, "stopped", size);
    toy.settings.steps = 4;
    train_as_ranks(toy, "stopped", size);
    const auto first = bytes_of(toy.inputs("first").folder);
    EXPECT_GE(first.size(), 6u);
    EXPECT_TRUE(first == bytes_of(toy.inputs("second").folder)) << size << " ranks";
    EXPECT_TRUE(first == bytes_of(toy.inputs("stopped").folder)) << size << " ranks";
  }
}

TEST(OverRanks, AMeanOverMicroBatchesKeepsTheirNumber) {
  TrainSettings settings;
  settings.loss.aggregation = Aggregation::micro_token_mean;
  EXPECT_EQ(micro_batch_rows(TrainSettings(), 13, 3), 5u);  // any other mean: equal shares
  EXPECT_EQ(micro_batch_rows(settings, 12, 3), 12u);
  settings.micro_batch_responses = 5;
  EXPECT_EQ(micro_batch_rows(settings, 12, 3), 5u);
}

}  // namespace
}  // namespace harness
