#include "harness/train/supervised.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/train/testing.h"

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
  const ToyRun toy;
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
  const ToyRun toy;
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
  const ToyRun toy;
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
  (void)train_supervised(*other, quick(), mirror, [&](const SupervisedStep& step) { first = first == 0 ? step.step : first; },
                         {toy.run_folder(), "another", 20});
  EXPECT_EQ(first, 1) << "another training's checkpoint is not taken";
}

// Examples of one to four response tokens, so that a mean of means is another mean.
SupervisedExample uneven(uint64_t index) {
  const auto digit = static_cast<int64_t>(index % 10);
  std::vector<int64_t> response(index % 4, 2 + 9 - digit);
  response.push_back(0);
  return {{2 + digit, 13}, response};
}

// Memory holds `most` examples.
MemoryLimits::Hooks memory_of(int64_t most, std::vector<std::string>* warnings = nullptr) {
  MemoryLimits::Hooks hooks;
  hooks.before_pass = [most](Pass, int64_t size) {
    if (size > most) throw std::bad_alloc();
  };
  if (warnings != nullptr) hooks.on_warning = [warnings](const std::string& warning) { warnings->push_back(warning); };
  return hooks;
}

double largest_parameter_difference(const Transformer& a, const Transformer& b) {
  double largest = 0;
  for (size_t i = 0; i < a.parameters().size(); ++i) {
    largest = std::max(largest, (a.parameters()[i].value - b.parameters()[i].value).abs().max().item<double>());
  }
  return largest;
}

TEST(Supervised, MicroBatchesOfAnySizeGiveTheMeanOfTheWholeBatch) {
  const ToyRun toy;
  const auto whole = toy.policy(), before = toy.policy();
  SupervisedSettings settings = quick();
  settings.steps = 1;
  settings.optimizer.eps = 1;  // AdamW's first step is then lr times nearly the gradient, not its sign
  settings.optimizer.lr = 1;
  settings.optimizer.clip_norm = 0;
  const SupervisedStep expected = train_supervised(*whole, settings, uneven, {});
  EXPECT_GT(largest_parameter_difference(*whole, *before), 0.01);
  for (const int64_t size : {1, 3, 9, 10, 11}) {
    const auto parts = toy.policy();
    settings.micro_batch = size;
    const SupervisedStep step = train_supervised(*parts, settings, uneven, {});
    EXPECT_NEAR(step.loss, expected.loss, 1e-12) << size;
    EXPECT_LT(largest_parameter_difference(*whole, *parts), 1e-6) << size;
  }
}

TEST(Supervised, GoesOnWithHalfTheExamplesAPassWhereMemoryEnds) {
  const ToyRun toy;
  const auto ends = toy.policy(), set = toy.policy(), whole = toy.policy();
  std::vector<std::string> warnings;
  const SupervisedStep last = train_supervised(*ends, quick(), uneven, {}, {}, memory_of(3, &warnings));
  ASSERT_EQ(warnings.size(), 2u);  // 10, 5, then 3 for good
  EXPECT_THAT(warnings[0],
              testing::HasSubstr("supervised step 1: update: out of memory with 10 responses a pass, goes on with 5"));
  EXPECT_THAT(warnings[1], testing::HasSubstr("out of memory with 5 responses a pass, goes on with 3"));
  EXPECT_EQ(last.micro_batch, 3);
  SupervisedSettings settings = quick();
  (void)train_supervised(*whole, settings, uneven, {});
  settings.micro_batch = 3;
  EXPECT_EQ(train_supervised(*set, settings, uneven, {}).smoothed_loss, last.smoothed_loss);
  EXPECT_EQ(largest_parameter_difference(*ends, *set), 0);
  EXPECT_GT(largest_parameter_difference(*ends, *whole), 0) << "the split makes no difference here";
}

TEST(Supervised, AnAttemptThatEndedHalfWayLeavesNoGradientBehind) {
  const ToyRun toy;
  const auto ends = toy.policy(), set = toy.policy();
  SupervisedSettings settings = quick();
  settings.micro_batch = 6;
  int64_t passes = 0;
  MemoryLimits::Hooks hooks;
  hooks.before_pass = [&](Pass, int64_t) {
    if (++passes == 2) throw std::bad_alloc();  // the gradients of the first six are there
  };
  (void)train_supervised(*ends, settings, uneven, {}, {}, hooks);
  settings.micro_batch = 3;
  (void)train_supervised(*set, settings, uneven, {});
  EXPECT_EQ(largest_parameter_difference(*ends, *set), 0);
}

TEST(Supervised, AResumedTrainingGoesOnWithTheSizeThatWasFound) {
  const ToyRun toy;
  const auto straight = toy.policy(), killed = toy.policy(), resumed = toy.policy();
  (void)train_supervised(*straight, quick(), uneven, {}, {}, memory_of(3));
  const SupervisedCheckpoint checkpoint{toy.run_folder(), "identity", 20};
  const auto stop = [](const SupervisedStep& step) {
    if (step.step == 47) throw Error("killed");
  };
  EXPECT_EQ(error_of([&] { train_supervised(*killed, quick(), uneven, stop, checkpoint, memory_of(3)); }), "killed");
  EXPECT_EQ(parse_json(read_file(toy.run_folder() + "/checkpoint/state.json")).at("micro_batch_responses"), 3);
  const SupervisedStep last = train_supervised(*resumed, quick(), uneven, {}, checkpoint);  // memory would hold more now
  EXPECT_EQ(last.micro_batch, 3);
  EXPECT_EQ(largest_parameter_difference(*straight, *resumed), 0);
}

TEST(Supervised, OneExampleThatDoesNotFitIsAnErrorInOneLine) {
  const ToyRun toy;
  const auto model = toy.policy();
  const std::string error = error_of([&] { train_supervised(*model, quick(), uneven, {}, {}, memory_of(0)); });
  EXPECT_THAT(error, testing::HasSubstr("supervised step 1: update: expected memory for one response, found: std::bad_alloc"));
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

TEST(Supervised, ALossThatIsNotFiniteNamesTheStep) {
  const ToyRun toy;
  const auto model = toy.policy();
  model->parameters()[1].value.fill_(std::nanf(""));
  EXPECT_THAT(error_of([&] { train_supervised(*model, quick(), mirror, {}); }),
              testing::HasSubstr("supervised step 1: expected a finite loss and gradient"));
}

}  // namespace
}  // namespace harness
