// Training states dealt out among ranks (train.shard) against whole ones, and what each rank holds of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <torch/types.h>

#include <csignal>
#include <numeric>
#include <set>

#include "harness/core/random.h"
#include "harness/model/token_statistics.h"
#include "harness/train/states/shares.h"
#include "harness/train/step/over_ranks.h"
#include "harness/train/step/update.h"
#include "harness/train/testing.h"

namespace harness {
namespace {

using testing::HasSubstr;

constexpr Shard kShards[] = {Shard::optimizer, Shard::gradients, Shard::parameters};

// Micro-batches that leave some ranks without rows in the last round.
ToyRun shared_run(Shard shard) {
  ToyRun toy = touchy_run();
  toy.settings.micro_batch_responses = 5;
  toy.settings.shard = shard;
  return toy;
}

// The toy's base model with a head of its own.
void untie_head(const ToyRun& toy) {
  ModelConfig config = read_model_config(toy.model_folder());
  config.tied_head = false;
  Transformer model(config, {});
  model.initialise(12);
  for (Parameter& parameter : model.parameters()) {
    if (parameter.decay) parameter.value.mul_(5.0);
  }
  model.save(toy.model_folder());
}

TEST(RowLayouts, GiveEveryNumberOfEveryParameterToOneProcess) {
  const ToyRun toy;
  for (const bool tied : {true, false}) {
    if (!tied) untie_head(toy);
    const auto model = toy.policy();
    for (const int size : {1, 2, 3, 8}) {
      const auto layouts = row_layouts(*model, size);
      ASSERT_EQ(layouts.size(), tied ? 4u : 5u);
      std::vector<std::vector<int>> owners;
      for (const Parameter& parameter : model->parameters())
        owners.emplace_back(static_cast<size_t>(parameter.value.numel()), 0);
      for (int rank = 0; rank < size; ++rank) {
        for (const SharePiece& piece : share_pieces(layouts, rank)) {
          EXPECT_EQ(piece.from % kShareAlignment, 0);
          EXPECT_EQ(piece.at % kShareAlignment, 0);
          EXPECT_LE(piece.at + piece.count, layouts[piece.unit].share);
          for (int64_t i = piece.from; i < piece.from + piece.count; ++i) ++owners[piece.parameter][static_cast<size_t>(i)];
        }
      }
      for (const auto& numbers : owners) EXPECT_EQ(std::count(numbers.begin(), numbers.end(), 1), std::ssize(numbers)) << size;
    }
  }
}

// Writes down what it is told.
class Recorder final : public PassHooks {
 public:
  void hold(size_t unit) override { calls.push_back(fmt::format("hold {}", unit)); }
  void release(size_t unit) noexcept override { calls.push_back(fmt::format("release {}", unit)); }
  void open_gradients(size_t unit) override { calls.push_back(fmt::format("open {}", unit)); }
  void close_gradients(size_t unit) override { calls.push_back(fmt::format("close {}", unit)); }
  std::vector<std::string> calls;
};

TEST(PassHooks, AreToldTheSameOfAPassWithoutRowsAsOfOneWithRows) {
  const ToyRun toy;
  for (const bool tied : {true, false}) {
    if (!tied) untie_head(toy);
    const auto model = toy.policy();
    for (const bool recompute : {false, true}) {
      Recorder with, without;
      model->zero_grad();
      model->set_hooks(&with);
      PackedBatch batch;
      batch.add({1, 2, 3, 4});
      Tape tape;
      const torch::Tensor hidden = model->forward(batch, &tape, recompute).slice(0, 0, 4);
      token_statistics(*model, hidden, {2, 3, 4, 5}, 1.0);
      const torch::Tensor gradient = token_statistics_backward(*model, hidden, {2, 3, 4, 5}, 1.0, torch::ones({4}), {});
      model->backward(batch, tape, gradient);
      model->set_hooks(&without);
      model->pass_without_rows();
      EXPECT_EQ(with.calls, without.calls);
      EXPECT_GT(with.calls.size(), 20u);
    }
  }
}

TEST(SharedStates, SampleTheResponsesThatOneProcessSamples) {
  const ToyRun toy;
  const auto policy = toy.policy();
  std::vector<GenerationRequest> requests;
  for (uint64_t i = 0; i < 5; ++i) {
    GenerationRequest request{{static_cast<int64_t>(i), 3, 4}, {}};
    for (uint64_t s = 0; s < 3; ++s) request.streams.emplace_back("shared", std::initializer_list<uint64_t>{i, s});
    requests.push_back(request);
  }
  GeneratorSettings settings;
  settings.sampling.max_new_tokens = 9;
  settings.readout = true;
  settings.stop_ids = {0};
  const auto alone = generate(*policy, requests, settings);
  run_as_ranks(3, [&](Ranks& ranks) {
    const SharedStates shares(*policy, ranks, Shard::parameters);
    EXPECT_TRUE(policy->parameters()[0].value.is_meta());
    const WholeParameters whole(*policy);
    GenerationTotals totals;
    const auto shared = generate_over_ranks(&ranks, *policy, requests, settings, totals);
    for (size_t i = 0; i < alone.size(); ++i) {
      for (size_t s = 0; s < alone[i].size(); ++s) {
        EXPECT_EQ(shared[i][s].ids, alone[i][s].ids);
        EXPECT_EQ(shared[i][s].log_probs, alone[i][s].log_probs);
        EXPECT_EQ(shared[i][s].readout, alone[i][s].readout);
      }
    }
  });
}

TEST(SharedStates, OfTheOptimizerTrainToTheBytesOfWholeOnes) {
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    Numerics numerics;
    numerics.dtype = dtype;
    for (const int size : {2, 4}) {
      const ToyRun whole = shared_run(Shard::none);
      train_as_ranks(whole, "run", size, numerics);
      const ToyRun shared = shared_run(Shard::optimizer);
      train_as_ranks(shared, "run", size, numerics);
      for (const char* part : {"/model", "_policy_1"}) {
        EXPECT_TRUE(bytes_of(whole.inputs("run").folder + part) == bytes_of(shared.inputs("run").folder + part))
            << size << part;
      }
      EXPECT_EQ(read_file(whole.inputs("run").folder + "/metrics.jsonl"),
                read_file(shared.inputs("run").folder + "/metrics.jsonl"));
    }
  }
}

TEST(SharedStates, TrainToWithinRoundingOfOneProcess) {
  for (const bool tied : {true, false}) {
    for (const Shard shard : kShards) {
      const ToyRun toy = shared_run(shard);
      if (!tied) untie_head(toy);
      ToyRun single = shared_run(Shard::none);
      if (!tied) untie_head(single);
      const auto alone = single.policy(), before = single.policy();
      single.train_policy(*alone, single.inputs("alone"), true);
      EXPECT_GT(largest_difference(*alone, *before), 1e-4) << "nothing was learnt";
      for (const int size : tied ? std::vector<int>{2, 4} : std::vector<int>{3}) {
        const auto policies = train_as_ranks(toy, fmt::format("of_{}", size), size);
        EXPECT_LT(largest_difference(*policies[0], *alone), 1e-5) << size << " ranks, " << shard_name(shard);
        for (int r = 1; r < size; ++r) {
          EXPECT_EQ(largest_difference(*policies[0], *policies[static_cast<size_t>(r)]), 0) << shard_name(shard);
        }
      }
    }
  }
}

TEST(SharedStates, OfParametersTrainToTheBytesOfThoseOfGradients) {
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    Numerics numerics;
    numerics.dtype = dtype;
    ToyRun gradients = shared_run(Shard::gradients), parameters = shared_run(Shard::parameters);
    parameters.settings.recompute_activations = true;  // a gathered layer serves both passes
    train_as_ranks(gradients, "run", 3, numerics);
    train_as_ranks(parameters, "run", 3, numerics);
    EXPECT_TRUE(bytes_of(gradients.inputs("run").folder + "/model") == bytes_of(parameters.inputs("run").folder + "/model"));
    EXPECT_EQ(read_file(gradients.inputs("run").folder + "/metrics.jsonl"),
              read_file(parameters.inputs("run").folder + "/metrics.jsonl"));
  }
}

TEST(SharedStates, RepeatTheSameBytesAlsoAfterStopping) {
  for (const Shard shard : kShards) {
    for (const int size : {2, 4}) {
      ToyRun toy = shared_run(shard);
      toy.settings.validate_every = 1;
      ToyObserver observer;
      observer.validation = [](int64_t, const Transformer& policy) {
        PackedBatch batch;
        batch.add({1, 2, 3});
        return Metrics{{"pass@1", policy.forward(batch).abs().sum().item<double>()}};
      };
      const auto train_in = [&](const std::string& run) { train_as_ranks(toy, run, size, {}, &observer); };
      toy.settings.steps = 3;
      train_in("first");
      toy.settings.steps = 1;
      train_in("stopped");
      toy.settings.steps = 3;
      train_in("stopped");
      const auto first = bytes_of(toy.inputs("first").folder);
      for (int rank = 0; rank < size; ++rank) EXPECT_TRUE(first.contains(fmt::format("checkpoint/state_{}.safetensors", rank)));
      EXPECT_FALSE(first.contains("checkpoint/state.safetensors"));
      EXPECT_TRUE(first.contains("best/model.safetensors"));
      EXPECT_TRUE(first == bytes_of(toy.inputs("stopped").folder)) << size << " ranks, " << shard_name(shard);
    }
  }
}

TEST(SharedStates, GoOnOnlyAsTheyBegan) {
  ToyRun toy = shared_run(Shard::optimizer);
  toy.settings.steps = 1;
  train_as_ranks(toy, "run", 2);
  const auto before = bytes_of(toy.inputs("run").folder + "/checkpoint");
  const auto refusal = [&](Shard shard, int size) {
    ToyRun other = toy;
    other.settings.shard = shard;
    const TrainerInputs inputs = other.inputs("run");
    run_as_ranks(size, [&](Ranks& ranks) {
      TrainerInputs mine = inputs;
      mine.ranks = &ranks;
      const std::string error = error_of([&] { other.train_in(mine, true); });
      EXPECT_THAT(error, HasSubstr("checkpoint/state.json: expected a checkpoint of "));
      EXPECT_THAT(error, HasSubstr(shard == Shard::none ? "whole states"
                                                        : fmt::format("\"{}\" among {} processes", shard_name(shard), size)));
      EXPECT_THAT(error, HasSubstr("found one of states shared by train.shard = \"optimizer\" among 2 processes"));
      EXPECT_EQ(error.find('\n'), std::string::npos);
    });
  };
  refusal(Shard::gradients, 2);
  refusal(Shard::optimizer, 4);
  refusal(Shard::none, 2);
  EXPECT_TRUE(before == bytes_of(toy.inputs("run").folder + "/checkpoint"));
  EXPECT_THAT(error_of([&] { toy.train_in(toy.inputs("alone")); }), HasSubstr("train.shard: expected train.processes > 1"));
}

TEST(SharedStates, KeepTheOldCheckpointWhereOneProcessCannotWriteItsShare) {
  ToyRun toy = shared_run(Shard::gradients);
  toy.settings.steps = 1;
  train_as_ranks(toy, "run", 2);
  const std::string folder = toy.inputs("run").folder;
  const auto before = bytes_of(folder + "/checkpoint");
  run_as_ranks(2, [&](Ranks& ranks) {
    const auto policy = toy.policy();
    Optimizer optimizer(*policy, {}, &ranks, Shard::gradients);
    RunState state;
    MethodStack methods;
    const std::string error = error_of([&] {
      // Under a limit of one kilobyte a file the second process's share does not fit.
      const rlimit small{1024, RLIM_INFINITY};
      if (ranks.rank() == 1) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
      }
      save_checkpoint(folder, "toy configuration", state, optimizer, methods);
    });
    EXPECT_THAT(error, HasSubstr("state_1.safetensors"));
  });
  EXPECT_TRUE(before == bytes_of(folder + "/checkpoint"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/checkpoint.tmp"));
}

TEST(SharedStates, EndARunInWhichOneProcessHasNoMemoryForAPass) {
  for (const Shard shard : {Shard::gradients, Shard::parameters}) {
    const ToyRun toy = shared_run(shard);
    const TrainerInputs inputs = toy.inputs("run");
    run_as_ranks(2, [&](Ranks& ranks) {
      TrainerInputs mine = inputs;
      mine.ranks = &ranks;
      ToyObserver observer;
      mine.observer = &observer;
      observer.before = [&](Pass pass, int64_t) {
        if (pass == Pass::update && !ranks.first()) throw std::bad_alloc();
      };
      const std::string error = error_of([&] { toy.train_in(mine, true); });
      EXPECT_EQ(error.find('\n'), std::string::npos);
      if (ranks.first()) {
        EXPECT_THAT(error, HasSubstr(std::string(kOneHasEnded)));
      } else {
        EXPECT_THAT(error, HasSubstr(fmt::format(
                               "update: expected memory for 5 responses a pass (with train.shard = \"{}\" the processes "
                               "cannot go on with fewer: set a smaller train.micro_batch_responses or "
                               "train.recompute_activations = true), found: ",
                               shard_name(shard))));
      }
    });
  }
}

// Numbers of the model's dtype and of fp32 gradients that stand in memory whenever a unit comes or opens.
class Measured final : public PassHooks {
 public:
  Measured(Transformer& model, const SharedStates& shares) : model_(model), shares_(shares), inner_(*model.hooks()) {
    model.set_hooks(this);
    measure(false);
  }
  void hold(size_t unit) override {
    inner_.hold(unit);
    measure(false);
  }
  void release(size_t unit) noexcept override { inner_.release(unit); }
  void open_gradients(size_t unit) override {
    inner_.open_gradients(unit);
    measure(true);
  }
  void close_gradients(size_t unit) override {
    inner_.close_gradients(unit);
    measure(true);
  }
  int64_t values = 0, gradients = 0;  // most at once

 private:
  void measure(bool in_update) {
    std::map<const void*, int64_t> of_values, of_gradients;
    const auto add = [](auto& storages, const torch::Tensor& tensor) {
      if (!tensor.defined() || tensor.is_meta()) return;
      storages[tensor.storage().data()] = static_cast<int64_t>(tensor.storage().nbytes() / tensor.element_size());
    };
    for (const Parameter& parameter : model_.parameters()) {
      add(of_values, parameter.value);
      add(of_gradients, parameter.grad);
    }
    if (in_update) {
      for (const SharePiece& piece : shares_.pieces()) add(of_gradients, shares_.gradient_of(piece));
    }
    const auto sum = [](const auto& storages) {
      return std::accumulate(storages.begin(), storages.end(), int64_t{0},
                             [](int64_t s, const auto& one) { return s + one.second; });
    };
    values = std::max(values, sum(of_values));
    gradients = std::max(gradients, sum(of_gradients));
  }

  Transformer& model_;
  const SharedStates& shares_;
  PassHooks& inner_;
};

TEST(SharedStates, HoldAShareAndOneLayerAtMost) {
  ToyRun toy = shared_run(Shard::none);
  const ToyRun deep(6);
  std::vector<SampledResponse> responses(6);
  const std::vector<int64_t> prompt = {3, 10, 4, 11};
  std::vector<TrainRow> rows;
  for (size_t b = 0; b < responses.size(); ++b) {
    responses[b].ids = {static_cast<int64_t>(1 + b), 5, 0};
    TrainRow row;
    row.prompt = &prompt;
    row.response = &responses[b];
    row.advantage = b % 2 == 0 ? 1.0 : -1.0;
    row.old_log_probs = {-2.0F, -2.0F, -2.0F};
    row.ref_log_probs = {-2.0F, -2.0F, -2.0F};
    rows.push_back(row);
  }
  for (const int size : {2, 4}) {
    for (const Shard shard : kShards) {
      run_as_ranks(size, [&](Ranks& ranks) {
        const auto policy = deep.policy();
        const int64_t whole = policy->parameter_count();
        Optimizer optimizer(*policy, {}, &ranks, shard);
        const auto& layouts = optimizer.shares()->layouts();
        int64_t shares = 0, largest = 0;
        for (const RowLayout& layout : layouts) {
          shares += layout.share;
          largest = std::max(largest, layout.share * size);
        }
        EXPECT_LT(static_cast<double>(shares), 1.1 * static_cast<double>(whole) / size);  // 64 numbers for a norm of 6
        EXPECT_LT(largest, whole / 5);
        MethodStack methods;
        int64_t values = 0, gradients = 0;
        if (shard == Shard::optimizer) {
          update_mini_batch(*policy, optimizer, methods, {rows, toy.settings, "test", nullptr, &ranks});
          for (const Parameter& parameter : policy->parameters()) {
            gradients += parameter.grad.numel();
            values += parameter.value.numel();
          }
        } else {
          Measured measured(*policy, *optimizer.shares());
          EXPECT_EQ(measured.values, shard == Shard::parameters ? 0 : shares * size);
          update_mini_batch(*policy, optimizer, methods, {rows, toy.settings, "test", nullptr, &ranks});
          values = measured.values;
          gradients = measured.gradients;
          policy->set_hooks(optimizer.shares());
          EXPECT_LE(gradients, shares + largest);
          EXPECT_GT(gradients, shares + largest - 4 * kShareAlignment);  // a share of padding alone is not counted
          EXPECT_EQ(values, shard == Shard::parameters ? largest : shares * size);
          for (const Parameter& parameter : policy->parameters()) EXPECT_FALSE(parameter.grad.defined()) << parameter.name;
        }
        int64_t states = 0;
        for (const auto& [name, tensor] : optimizer.state()) states += tensor.numel();
        EXPECT_EQ(states, 3 * shares);
        if (ranks.first()) {
          fmt::print("{} of {}: {} parameters, {} masters, at most {} gradients and {} gathered values at once\n",
                     shard_name(shard), size, whole, shares, gradients, values);
        }
      });
    }
  }
}

}  // namespace
}  // namespace harness
