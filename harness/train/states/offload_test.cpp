// Optimiser states and the reference policy in CPU memory of their own: on the CPU the same bytes as without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "harness/train/states/host_states.h"
#include "harness/train/step/reference.h"
#include "harness/train/testing.h"

namespace harness {
namespace {

std::vector<torch::Tensor> after_updates(Transformer& model, Optimizer& optimizer, int64_t from, int64_t to) {
  for (int64_t update = from; update < to; ++update) {
    model.zero_grad();
    for (Parameter& parameter : model.parameters()) {
      const torch::Tensor i = torch::arange(parameter.grad.numel(), torch::kFloat32);
      parameter.grad.copy_((torch::sin(i * 0.7 + static_cast<double>(update)) * 0.05).view_as(parameter.grad));
    }
    const double norm = optimizer.gradient_norm();
    EXPECT_GT(norm, 0.5) << "nothing is clipped";
    optimizer.apply(norm);
  }
  std::vector<torch::Tensor> values;
  for (const Parameter& parameter : model.parameters()) values.push_back(parameter.value.clone());
  return values;
}

void expect_equal(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(torch::equal(a[i], b[i])) << "parameter " << i;
}

TEST(OffloadedOptimizer, StepsToTheSameBytesFromMastersOfItsOwn) {
  const ToyRun toy;
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kBFloat16}) {
    Numerics numerics;
    numerics.dtype = dtype;
    OptimizerSettings settings;
    settings.lr = 1e-2;
    settings.clip_norm = 0.5;
    const auto here = Transformer::load(toy.model_folder(), numerics), there = Transformer::load(toy.model_folder(), numerics),
               resumed = Transformer::load(toy.model_folder(), numerics);
    Optimizer with(*here, settings);
    settings.offload = true;
    Optimizer offloaded(*there, settings), later(*resumed, settings);
    const std::string name = "master." + there->parameters()[0].name;
    EXPECT_NE(offloaded.state().at(name).data_ptr(), there->parameters()[0].value.data_ptr());
    expect_equal(after_updates(*here, with, 0, 3), after_updates(*there, offloaded, 0, 3));
    later.restore(with.state(), with.updates());  // what a checkpoint holds does not tell where it lay
    expect_equal(after_updates(*here, with, 3, 6), after_updates(*resumed, later, 3, 6));
  }
}

TEST(OffloadedOptimizer, StepsPieceByPieceToTheSameBytes) {
  const ToyRun toy;
  OptimizerSettings settings;
  settings.lr = 1e-2;
  settings.clip_norm = 0.5;
  const auto here = toy.policy(), there = toy.policy();
  Optimizer with(*here, settings);
  settings.offload = true;
  settings.offload_numbers = 64;
  Optimizer offloaded(*there, settings);
  EXPECT_GT(there->parameters()[0].value.numel(), 5 * 64);
  expect_equal(after_updates(*here, with, 0, 3), after_updates(*there, offloaded, 0, 3));
}

TEST(OffloadedOptimizer, TrainsToTheSameBytes) {
  ToyRun toy = touchy_run();
  toy.train_in(toy.inputs("here"), true);
  toy.settings.optimizer.offload = toy.settings.offload_reference = true;
  toy.train_in(toy.inputs("there"), true);
  EXPECT_EQ(bytes_of(toy.inputs("here").folder), bytes_of(toy.inputs("there").folder));
}

TEST(OffloadedOptimizer, OfSeveralProcessesTrainsToTheSameBytes) {
  for (const Shard shard : {Shard::none, Shard::optimizer, Shard::gradients, Shard::parameters}) {
    for (const torch::Dtype dtype : {torch::kFloat32, torch::kBFloat16}) {
      ToyRun toy = touchy_run();
      Numerics numerics;
      numerics.dtype = dtype;
      toy.settings.steps = 2;
      toy.settings.shard = shard;
      train_as_ranks(toy, "here", 2, numerics);
      toy.settings.optimizer.offload = true;
      toy.settings.offload_reference = shard != Shard::parameters;
      train_as_ranks(toy, "there", 2, numerics);
      EXPECT_TRUE(bytes_of(toy.inputs("here").folder) == bytes_of(toy.inputs("there").folder))
          << shard_name(shard) << " " << dtype;
    }
  }
}

TEST(ReferencePolicy, IsOnTheDeviceOnlyWhileItIsUsedWhereItIsOffloaded) {
  const ToyRun toy;
  const ReferencePolicy stays(toy.model_folder(), {}, false), offloaded(toy.model_folder(), {}, true);
  EXPECT_EQ(stays.on_device(), stays.on_device());
  std::weak_ptr<const Transformer> lent;
  {
    const auto there = offloaded.on_device();
    lent = there;
    const auto here = stays.on_device();
    for (size_t i = 0; i < here->parameters().size(); ++i) {
      EXPECT_TRUE(torch::equal(here->parameters()[i].value, there->parameters()[i].value));
    }
  }
  EXPECT_TRUE(lent.expired());
}

TEST(Settings, AReferenceThatIsSharedIsNotOffloaded) {
  const Config config = Config::from_toml_text("[train]\nshard = \"parameters\"\noffload_reference = true\n", "settings.toml");
  ConfigReader keys(config);
  EXPECT_THAT(error_of([&] { read_train_settings(keys); }),
              testing::HasSubstr("train.offload_reference: expected train.shard"));
}

}  // namespace
}  // namespace harness
