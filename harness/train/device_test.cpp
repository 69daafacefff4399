// Whole trainings on a GPU, and the same on the CPU: what a run promises wherever it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include <cmath>
#include <new>

#include "harness/train/testing.h"

namespace harness {
namespace {

class TrainingOn : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "cuda" && !torch::cuda::is_available()) GTEST_SKIP() << "skipped without a GPU that LibTorch can use";
  }
  // A policy of 2 layers, a reference, a method with a state; GRPO's penalty on the distance to the reference.
  [[nodiscard]] static ToyRun toy(torch::Dtype dtype) {
    ToyRun toy;
    const bool gpu = GetParam() == "cuda";
    toy.numerics = {dtype, gpu ? torch::Device(torch::kCUDA, 0) : torch::Device(torch::kCPU), !gpu};
    toy.settings.loss.kl_coef = 0.05;
    return toy;
  }
  // What was learnt and how.
  static std::vector<std::string> bytes(const std::string& folder) {
    std::vector<std::string> out;
    for (const char* file : {"metrics.jsonl", "model/model.safetensors", "checkpoint/state.safetensors"}) {
      out.push_back(read_file(folder + "/" + file));
    }
    return out;
  }
};

TEST_P(TrainingOn, RepeatsItsBytesAlsoAfterStopping) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kBFloat16}) {
    ToyRun run = toy(dtype);
    run.train_in(run.inputs("straight"), true);
    run.train_in(run.inputs("again"), true);
    run.settings.steps = 2;
    run.train_in(run.inputs("stopped"), true);
    run.settings.steps = 4;
    run.train_in(run.inputs("stopped"), true);
    EXPECT_TRUE(bytes(run.inputs("straight").folder) == bytes(run.inputs("again").folder)) << dtype;
    EXPECT_TRUE(bytes(run.inputs("straight").folder) == bytes(run.inputs("stopped").folder)) << dtype;
  }
}

// The first step in fp32, before rounding has sampled another token: the same responses, and the gradient up to rounding. Then
// bf16, whose sampling and scoring differ by roundings of the logits.
TEST_P(TrainingOn, LearnsFromWhatTheCpuLearnsFrom) {
  ToyRun run = toy(torch::kFloat32);
  run.settings.steps = 1;
  run.train_in(run.inputs("here"), true);
  run.numerics = {};
  run.train_in(run.inputs("cpu"), true);
  const Json here = metrics_of(run.inputs("here").folder).at(0), cpu = metrics_of(run.inputs("cpu").folder).at(0);
  for (const char* name : {"reward", "shaped_reward", "response_tokens", "rollout_pass_rate", "distinct_answers"}) {
    EXPECT_NEAR(here.at(name).get<double>(), cpu.at(name).get<double>(), 1e-9) << name;
  }
  for (const char* name : {"loss", "grad_norm", "sampling_entropy", "entropy"}) {
    EXPECT_NEAR(here.at(name).get<double>(), cpu.at(name).get<double>(), 1e-4) << name;
  }
  EXPECT_LT(std::abs(here.at("first_log_ratio").get<double>()), 1e-4);
  ToyRun rounded = toy(torch::kBFloat16);
  rounded.train_in(rounded.inputs(), true);
  for (const Json& line : metrics_of(rounded.run_folder())) {
    EXPECT_LT(std::abs(line.at("first_log_ratio").get<double>()), 0.2);
    EXPECT_GT(line.at("grad_norm").get<double>(), 0.0);
  }
}

TEST_P(TrainingOn, WithRecomputationOrOffloadedStatesIsTheSameUpToRounding) {
  ToyRun run = toy(torch::kFloat32);
  run.settings.steps = 1;
  run.train_in(run.inputs("plain"), true);
  run.settings.recompute_activations = true;
  run.train_in(run.inputs("recomputed"), true);
  EXPECT_TRUE(bytes(run.inputs("plain").folder) == bytes(run.inputs("recomputed").folder));
  run.settings.optimizer.offload = run.settings.offload_reference = true;
  run.train_in(run.inputs("offloaded"), true);
  const auto norm = [&](const char* name) { return metrics_of(run.inputs(name).folder).at(0).at("grad_norm").get<double>(); };
  EXPECT_NEAR(norm("plain"), norm("offloaded"), 1e-5);
}

TEST_P(TrainingOn, GoesOnWithHalfTheResponsesWhereMemoryEnds) {
  ToyRun run = toy(torch::kFloat32);
  run.settings.steps = 2;
  TrainerInputs ends = run.inputs("ends");
  ToyObserver observer;
  ends.observer = &observer;
  observer.before = [](Pass pass, int64_t size) {
    if (pass != Pass::update || size <= 3) return;
    if (GetParam() == "cuda") torch::empty({int64_t{1} << 45}, torch::kCUDA);  // the real allocator of the device
    throw std::bad_alloc();
  };
  run.train_in(ends, true);
  EXPECT_EQ(observer.warnings.size(), 2u);  // 12, 6, then 3 for good
  run.settings.micro_batch_responses = 3;
  run.train_in(run.inputs("set"), true);
  EXPECT_TRUE(bytes(run.inputs("ends").folder) == bytes(run.inputs("set").folder));
}

INSTANTIATE_TEST_SUITE_P(Host, TrainingOn, testing::Values("cpu"));
INSTANTIATE_TEST_SUITE_P(Gpu, TrainingOn, testing::Values("cuda"));

}  // namespace
}  // namespace harness
