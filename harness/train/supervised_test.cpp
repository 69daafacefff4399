#include "harness/train/supervised.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/train/test_policy.h"

namespace harness {
namespace {

// Digit d in the prompt, digit 9 - d and a stop token in the response.
SupervisedExample mirror(uint64_t index) {
  const auto digit = static_cast<int64_t>(index % 10);
  return {{2 + digit, 13}, {2 + 9 - digit, 0}};
}

SupervisedSettings quick() {
  SupervisedSettings settings;
  settings.steps = 60;
  settings.batch = 10;
  settings.optimizer.lr = 1e-2;
  settings.optimizer.weight_decay = 0;
  return settings;
}

TEST(Supervised, LearnsAToyMapping) {
  const ToyRun toy("supervised");
  const auto model = toy.policy();
  std::vector<double> losses;
  train_supervised(*model, quick(), mirror, [&](const SupervisedStep& step) {
    EXPECT_EQ(step.tokens, 20);
    losses.push_back(step.loss);
  });
  ASSERT_EQ(losses.size(), 60u);
  EXPECT_GT(losses.front(), 1.5);
  EXPECT_LT(losses.back(), 0.05);
  GeneratorSettings greedy;
  greedy.sampling.greedy = true;
  greedy.sampling.max_new_tokens = 4;
  greedy.stop_ids = {0};
  for (uint64_t digit = 0; digit < 10; ++digit) {
    const auto response = generate(*model, {{mirror(digit).prompt, {RandomStream("any", {digit})}}}, greedy)[0][0];
    EXPECT_EQ(response.ids, mirror(digit).response);
  }
}

TEST(Supervised, GivesTheSameBytesEachTime) {
  const ToyRun toy("supervised_again");
  SupervisedSettings settings = quick();
  settings.steps = 5;
  const auto first = toy.policy(), second = toy.policy();
  train_supervised(*first, settings, mirror, {});
  settings.recompute_activations = true;
  train_supervised(*second, settings, mirror, {});
  for (size_t i = 0; i < first->parameters().size(); ++i) {
    EXPECT_TRUE(torch::equal(first->parameters()[i].value, second->parameters()[i].value));
  }
}

TEST(Supervised, GoesOnFromItsCheckpointToTheSameBytes) {
  const ToyRun toy("supervised_resumed");
  const auto straight = toy.policy(), killed = toy.policy(), resumed = toy.policy(), other = toy.policy();
  const SupervisedStep expected = train_supervised(*straight, quick(), mirror, {});
  const SupervisedCheckpoint checkpoint{toy.run_folder(), "identity", 20};
  const auto stop = [](const SupervisedStep& step) {
    if (step.step == 47) throw Error("killed");
  };
  EXPECT_EQ(error_of([&] { train_supervised(*killed, quick(), mirror, stop, checkpoint); }), "killed");
  int64_t first = 0;
  const SupervisedStep last = train_supervised(
      *resumed, quick(), mirror, [&](const SupervisedStep& step) { first = first == 0 ? step.step : first; }, checkpoint);
  EXPECT_EQ(first, 41);
  EXPECT_EQ(last.smoothed_loss, expected.smoothed_loss);
  EXPECT_EQ(last.all_tokens, expected.all_tokens);
  for (size_t i = 0; i < straight->parameters().size(); ++i) {
    EXPECT_TRUE(torch::equal(straight->parameters()[i].value, resumed->parameters()[i].value));
  }
  first = 0;
  (void)train_supervised(
      *other, quick(), mirror, [&](const SupervisedStep& step) { first = first == 0 ? step.step : first; },
      {toy.run_folder(), "another", 20});
  EXPECT_EQ(first, 1) << "another training's checkpoint is not taken";
}

TEST(Supervised, ALossThatIsNotFiniteNamesTheStep) {
  const ToyRun toy("supervised_nan");
  const auto model = toy.policy();
  model->parameters()[1].value.fill_(std::nanf(""));
  EXPECT_THAT(error_of([&] { train_supervised(*model, quick(), mirror, {}); }),
              testing::HasSubstr("supervised step 1: expected a finite loss and gradient"));
}

}  // namespace
}  // namespace harness
