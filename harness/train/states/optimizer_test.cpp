#include "harness/train/states/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>
#include <torch/types.h>

#include <cmath>

#include "harness/train/testing.h"

namespace harness {
namespace {

torch::Tensor fake_gradient(const Parameter& parameter, int64_t update, size_t index) {
  const torch::Tensor i = torch::arange(parameter.value.numel(), torch::kFloat32);
  return (torch::sin(i * 0.7 + static_cast<double>(update) * 1.9 + static_cast<double>(index)) * 0.05).view_as(parameter.value);
}

TEST(Optimizer, EqualsTorchsAdamWWithClipping) {
  const ToyRun toy;
  const auto model = toy.policy();
  OptimizerSettings settings;
  settings.lr = 1e-2;
  settings.weight_decay = 0.1;
  settings.clip_norm = 0.5;
  Optimizer ours(*model, settings);
  std::vector<torch::Tensor> decayed, plain, all;
  for (const Parameter& parameter : model->parameters()) {
    all.push_back(parameter.value.clone().set_requires_grad(true));
    (parameter.decay ? decayed : plain).push_back(all.back());
  }
  const auto options = [](double decay) {
    return std::make_unique<torch::optim::AdamWOptions>(
        torch::optim::AdamWOptions(1e-2).betas({0.9, 0.999}).eps(1e-8).weight_decay(decay));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decayed, options(0.1));
  groups.emplace_back(plain, options(0.0));
  torch::optim::AdamW theirs(groups);
  for (int64_t update = 0; update < 12; ++update) {
    model->zero_grad();
    for (size_t i = 0; i < all.size(); ++i) {
      model->parameters()[i].grad.copy_(fake_gradient(model->parameters()[i], update, i));
      all[i].mutable_grad() = fake_gradient(model->parameters()[i], update, i);
    }
    const double norm = ours.gradient_norm();
    EXPECT_NEAR(torch::nn::utils::clip_grad_norm_(all, 0.5), norm, 1e-5 * norm);
    EXPECT_GT(norm, 0.5);
    ours.apply(norm);
    theirs.step();
  }
  EXPECT_EQ(ours.updates(), 12);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_LT((all[i].detach() - model->parameters()[i].value).abs().max().item<double>(), 2e-6) << model->parameters()[i].name;
  }
}

TEST(Optimizer, KeepsFp32MastersOfBf16Weights) {
  const ToyRun toy;
  Numerics numerics;
  numerics.dtype = torch::kBFloat16;
  const auto model = Transformer::load(toy.model_folder(), numerics);
  const torch::Tensor before = model->parameters()[0].value.clone();
  OptimizerSettings settings;
  settings.lr = 1e-6;  // far below half a unit in the last place of bf16
  settings.weight_decay = 0;
  Optimizer optimizer(*model, settings);
  for (int64_t update = 0; update < 5; ++update) {
    model->zero_grad();
    for (size_t i = 0; i < model->parameters().size(); ++i) model->parameters()[i].grad.fill_(0.1);
    optimizer.apply(optimizer.gradient_norm());
  }
  const torch::Tensor moved = before.to(torch::kFloat32) - optimizer.state().at("master." + model->parameters()[0].name);
  EXPECT_NEAR(moved.mean().item<double>(), 5e-6, 5e-7);
  EXPECT_TRUE(torch::equal(model->parameters()[0].value,
                           optimizer.state().at("master." + model->parameters()[0].name).to(torch::kBFloat16)));
}

TEST(Optimizer, GoesOnFromItsStateBitForBit) {
  const ToyRun toy;
  const auto updates = [](Transformer& model, Optimizer& optimizer, int64_t from, int64_t to) {
    for (int64_t update = from; update < to; ++update) {
      model.zero_grad();
      for (size_t i = 0; i < model.parameters().size(); ++i)
        model.parameters()[i].grad.copy_(fake_gradient(model.parameters()[i], update, i));
      optimizer.apply(optimizer.gradient_norm());
    }
  };
  OptimizerSettings settings;
  settings.lr = 1e-2;
  settings.warmup_updates = 4;
  const auto straight = toy.policy(), first = toy.policy(), second = toy.policy();
  Optimizer a(*straight, settings), b(*first, settings), c(*second, settings);
  updates(*straight, a, 0, 6);
  updates(*first, b, 0, 3);
  c.restore(b.state(), b.updates());
  updates(*second, c, 3, 6);
  for (size_t i = 0; i < straight->parameters().size(); ++i) {
    EXPECT_TRUE(torch::equal(straight->parameters()[i].value, second->parameters()[i].value));
  }
}

TEST(Optimizer, RefusesAStateOfAnotherShape) {
  const ToyRun two(2), three(3);
  const auto small = two.policy(), large = three.policy();
  Optimizer from(*small, {}), to(*large, {});
  EXPECT_THAT(error_of([&] { to.restore(from.state(), 1); }), testing::HasSubstr("layers.2."));
}

TEST(LearningRate, WarmsUpThenFollowsItsSchedule) {
  OptimizerSettings settings;
  settings.lr = 2.0;
  settings.warmup_updates = 4;
  EXPECT_DOUBLE_EQ(learning_rate(settings, 0), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 3), 2.0);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 1000), 2.0);
  settings.warmup_updates = 0;
  settings.schedule = "linear";
  settings.total_updates = 10;
  settings.flat = 0.5;
  settings.final_ratio = 0.2;
  EXPECT_DOUBLE_EQ(learning_rate(settings, 5), 2.0);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 10), 0.4);
  EXPECT_NEAR(learning_rate(settings, 8), 2.0 * (0.2 + 0.8 * 0.4), 1e-12);
  settings.schedule = "cosine";
  settings.flat = 0;
  EXPECT_NEAR(learning_rate(settings, 5), 2.0 * (0.2 + 0.8 * 0.5), 1e-12);
}

}  // namespace
}  // namespace harness
