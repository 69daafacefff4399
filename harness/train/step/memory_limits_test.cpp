// Memory that ends: injected before a pass, as LibTorch's allocator would throw it within.
#include "harness/train/step/memory_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <new>

#include "harness/model/out_of_memory.h"
#include "harness/train/testing.h"

namespace harness {
namespace {

using testing::HasSubstr;
using testing::Not;

[[noreturn]] void end_memory() {
  throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "CUDA out of memory. Tried to allocate 2.00 GiB.");
}

// Memory holds `most` of this pass.
auto holds(Pass pass, int64_t most) {
  return [pass, most](Pass now, int64_t size) {
    if (now == pass && size > most) end_memory();
  };
}

// The files that hold what was learnt; state.json names the size that was found.
std::map<std::string, std::string> learnt_in(const std::string& folder) {
  std::map<std::string, std::string> bytes;
  for (const char* file : {"metrics.jsonl", "model/model.safetensors", "checkpoint/state.safetensors"}) {
    bytes[file] = read_file(folder + "/" + file);
  }
  return bytes;
}

Json state_of(const std::string& folder) { return parse_json(read_file(folder + "/checkpoint/state.json")); }

// 12 responses in a step's first update, 6 in its second.
ToyRun run_with_kl() {
  ToyRun toy;
  toy.settings.loss.kl_coef = 0.05;
  return toy;
}

TEST(OutOfMemory, IsToldFromOtherErrors) {
  const auto ended = [](const auto& attempt) { return out_of_memory_in(torch::kCPU, attempt); };
  EXPECT_EQ(ended([] {}), std::nullopt);
  EXPECT_THAT(*ended([] { torch::empty({int64_t{1} << 56}); }), HasSubstr("can't allocate memory"));  // the real allocator
  EXPECT_THAT(*ended([] { throw std::bad_alloc(); }), HasSubstr("bad_alloc"));
  EXPECT_THAT(*ended(end_memory), testing::StartsWith("CUDA out of memory"));
  EXPECT_THROW(ended([] { throw Error("another"); }), Error);
  EXPECT_THROW(ended([] { torch::ones({2}).add(torch::ones({3})); }), c10::Error);
  EXPECT_THROW(ended([] { throw Interrupted(); }), Interrupted);
}

TEST(MemoryLimits, GiveTheBytesOfARunThatWasSetToTheHalvedSize) {
  ToyRun toy = run_with_kl();
  TrainerInputs ends = toy.inputs("ends");
  ToyObserver observer;
  observer.before = holds(Pass::update, 3);
  ends.observer = &observer;
  toy.train_in(ends);
  ASSERT_EQ(observer.warnings.size(), 2u);  // 12, 6, then 3 for good
  EXPECT_THAT(observer.warnings[0],
              HasSubstr("step 1, mini-batch 1: update: out of memory with 12 responses a pass, goes on with 6"));
  EXPECT_THAT(observer.warnings[1], HasSubstr("out of memory with 6 responses a pass, goes on with 3"));
  EXPECT_EQ(state_of(ends.folder).at("micro_batch_responses"), 3);

  toy.train_in(toy.inputs("whole"));
  EXPECT_FALSE(state_of(toy.inputs("whole").folder).contains("micro_batch_responses"));
  toy.settings.micro_batch_responses = 3;
  toy.train_in(toy.inputs("set"));
  EXPECT_EQ(learnt_in(ends.folder), learnt_in(toy.inputs("set").folder));
  EXPECT_NE(learnt_in(ends.folder), learnt_in(toy.inputs("whole").folder)) << "the split makes no difference here";
}

TEST(MemoryLimits, AnAttemptThatEndedHalfWayLeavesNoGradientBehind) {
  ToyRun toy = run_with_kl();
  toy.settings.micro_batch_responses = 6;
  TrainerInputs ends = toy.inputs("ends");
  int64_t passes = 0;
  ToyObserver observer;
  ends.observer = &observer;
  observer.before = [&](Pass pass, int64_t) {
    if (pass == Pass::update && ++passes == 2) end_memory();  // the gradients of the first six are there
  };
  toy.train_in(ends);
  toy.settings.micro_batch_responses = 3;
  toy.train_in(toy.inputs("set"));
  EXPECT_EQ(learnt_in(ends.folder), learnt_in(toy.inputs("set").folder));
}

TEST(MemoryLimits, AResumedRunGoesOnWithTheSizeThatWasFound) {
  ToyRun toy = run_with_kl();
  TrainerInputs straight = toy.inputs("straight"), stopped = toy.inputs("stopped");
  ToyObserver observer;
  observer.before = holds(Pass::update, 3);
  straight.observer = stopped.observer = &observer;
  toy.train_in(straight);
  stopped.settings.steps = 2;
  toy.train_in(stopped);
  stopped.settings.steps = 4;
  observer.before = {};  // memory would hold more now
  toy.train_in(stopped);
  EXPECT_EQ(learnt_in(straight.folder), learnt_in(stopped.folder));
  EXPECT_EQ(state_of(straight.folder), state_of(stopped.folder));
}

TEST(MemoryLimits, ScoringAndSamplingGiveWayToo) {
  ToyRun toy = run_with_kl();
  toy.settings.micro_batch_responses = 4;
  toy.train_in(toy.inputs("whole"));
  for (const auto& [pass, key, most] :
       {std::tuple{Pass::scoring, "micro_batch_responses", int64_t{2}}, std::tuple{Pass::sampling, "max_rows", int64_t{1}}}) {
    TrainerInputs ends = toy.inputs(key);
    ToyObserver observer;
    observer.before = holds(pass, most);
    ends.observer = &observer;
    toy.train_in(ends);
    EXPECT_EQ(state_of(ends.folder).at(key), most);
  }
  EXPECT_EQ(learnt_in(toy.inputs("max_rows").folder), learnt_in(toy.inputs("whole").folder));  // strict: rows do not matter
  toy.settings.micro_batch_responses = 2;
  toy.train_in(toy.inputs("set"));
  EXPECT_EQ(learnt_in(toy.inputs("micro_batch_responses").folder), learnt_in(toy.inputs("set").folder));
}

TEST(MemoryLimits, OneResponseThatDoesNotFitIsAnErrorInOneLine) {
  for (const auto& [pass, name] :
       {std::pair{Pass::update, "step 1, mini-batch 1: update"}, std::pair{Pass::scoring, "step 1: scoring"},
        std::pair{Pass::sampling, "step 1: sampling"}}) {
    const ToyRun toy = run_with_kl();
    TrainerInputs in = toy.inputs();
    ToyObserver observer;
    observer.before = holds(pass, 0);
    in.observer = &observer;
    const std::string error = error_of([&] { toy.train_in(in); });
    EXPECT_THAT(error, HasSubstr(std::string(name) + ": expected memory for one response, found: CUDA out of memory."));
    EXPECT_THAT(error, Not(HasSubstr("\n")));
  }
}

TEST(MemoryLimits, ALossThatDependsOnTheSplitKeepsIt) {
  ToyRun toy;
  toy.settings.loss.aggregation = Aggregation::micro_token_mean;
  TrainerInputs in = toy.inputs();
  ToyObserver observer;
  observer.before = holds(Pass::update, 6);
  in.observer = &observer;
  const std::string error = error_of([&] { toy.train_in(in); });
  EXPECT_THAT(error, HasSubstr("expected memory for 12 responses a pass (with loss.aggregation = \"micro_token_mean\""));
  EXPECT_THAT(error, Not(HasSubstr("\n")));
}

// Passes of gradients wait for no other process where gradients are whole: with shared masters and moments too.
TEST(MemoryLimits, WhatEndsInOneProcessHalvesInAll) {
  for (const Shard shard : {Shard::none, Shard::optimizer}) {
    ToyRun toy = run_with_kl();
    toy.settings.shard = shard;
    const auto run = [&](const std::string& name, bool ends) {
      const TrainerInputs inputs = toy.inputs(name);
      run_as_ranks(2, [&](Ranks& ranks) {
        TrainerInputs mine = inputs;
        mine.ranks = &ranks;
        ToyObserver observer;
        if (ends && ranks.rank() == 1) {
          observer.before = [](Pass pass, int64_t size) {
            if (size > (pass == Pass::sampling ? 2 : 3)) end_memory();
          };
        }
        mine.observer = &observer;
        toy.train_in(mine);
      });
      return inputs.folder;
    };
    const auto learnt = [](const std::string& folder) {
      return std::pair{read_file(folder + "/metrics.jsonl"), read_file(folder + "/model/model.safetensors")};
    };
    const std::string ended = run("ends", true);
    EXPECT_EQ(state_of(ended).at("micro_batch_responses"), 3);
    EXPECT_EQ(state_of(ended).at("max_rows"), 2);
    const std::string whole = run("whole", false);
    EXPECT_TRUE(learnt(ended) != learnt(whole)) << "the split makes no difference here";
    toy.settings.micro_batch_responses = 3;
    EXPECT_TRUE(learnt(ended) == learnt(run("set", false))) << shard_name(shard);
  }
}

}  // namespace
}  // namespace harness
