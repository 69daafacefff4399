#include "harness/rl/loss.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

#include "harness/core/error.h"

namespace harness {
namespace {

torch::Tensor row(const std::vector<double>& values) { return torch::tensor(values, torch::kDouble).reshape({1, -1}); }

LossInputs inputs_for(const std::vector<double>& advantages, const std::vector<double>& ratios) {
  LossInputs inputs;
  inputs.advantages = row(advantages);
  inputs.mask = torch::ones_like(inputs.advantages);
  inputs.old_log_probs = torch::zeros_like(inputs.advantages);
  inputs.log_probs = row(ratios).log().requires_grad_(true);
  return inputs;
}

TEST(ClippedSurrogate, ClipsOnlyWhereTheStepWouldGoFurther) {
  // By hand, range [0.8, 1.28], dual clip 3.
  LossInputs inputs = inputs_for({1, 1, 1, -1, -1, -1}, {1.1, 2.0, 0.5, 0.5, 2.0, 5.0});
  LossSums sums;
  const torch::Tensor terms = clipped_surrogate({.clip_low = 0.2, .clip_high = 0.28, .dual_clip = 3}, inputs, sums);
  EXPECT_TRUE(torch::allclose(terms, row({-1.1, -1.28, -0.5, 0.8, 2.0, 3.0})));
  EXPECT_EQ(sums["clip_fraction_high"], 1);
  EXPECT_EQ(sums["clip_fraction_low"], 1);
  EXPECT_EQ(sums["clip_fraction_dual"], 1);
  terms.sum().backward();
  EXPECT_TRUE(torch::allclose(inputs.log_probs.grad(), row({-1.1, 0, -0.5, 0, 2.0, 0})));
}

TEST(ClippedSurrogate, KeepsTheRatioFiniteForAnyLogProb) {
  LossInputs inputs = inputs_for({1, -1}, {1, 1});
  inputs.log_probs = row({-1e6, 1e6}).requires_grad_(true);
  LossSums sums;
  const torch::Tensor terms = clipped_surrogate({.dual_clip = 0}, inputs, sums);
  EXPECT_NEAR(terms[0][1].item<double>(), std::exp(20.0), 1e-3);
  terms.sum().backward();
  EXPECT_TRUE(inputs.log_probs.grad().isfinite().all().item<bool>());
}

TEST(K3Kl, IsWhatTheFormulaSaysAndIsClamped) {
  LossInputs inputs;
  inputs.mask = torch::ones({1, 3}, torch::kDouble);
  inputs.log_probs = row({-1, -1, -9});
  inputs.ref_log_probs = row({-1, -1.5, -1});
  EXPECT_TRUE(torch::allclose(k3_kl(inputs), row({0, std::exp(-0.5) + 0.5 - 1, 10})));
}

struct Random {
  torch::Generator generator;
  explicit Random(uint64_t seed) : generator(at::detail::createCPUGenerator(seed)) {}
  torch::Tensor normal(int64_t rows, int64_t positions) {
    return torch::randn({rows, positions}, generator, torch::TensorOptions(torch::kDouble));
  }
};

LossInputs random_inputs(uint64_t seed, int64_t rows, int64_t positions) {
  Random random(seed);
  LossInputs inputs;
  inputs.old_log_probs = -random.normal(rows, positions).abs();
  inputs.log_probs = (inputs.old_log_probs + 0.3 * random.normal(rows, positions)).requires_grad_(true);
  inputs.ref_log_probs = inputs.old_log_probs + 0.3 * random.normal(rows, positions);
  inputs.advantages = random.normal(rows, 1).expand({rows, positions}).clone();
  inputs.mask = torch::zeros({rows, positions}, torch::kDouble);
  for (int64_t i = 0; i < rows; ++i) inputs.mask[i].slice(0, 0, 1 + (i * 5) % positions).fill_(1);
  return inputs;
}

torch::Tensor whole_loss(const LossSettings& settings, const LossInputs& inputs, const Denominators& global) {
  LossSums sums;
  const torch::Tensor terms = clipped_surrogate(settings, inputs, sums) + 0.1 * k3_kl(inputs);
  return aggregate(settings, terms, inputs.mask, global);
}

Denominators denominators(const torch::Tensor& mask) {
  return {.tokens = mask.sum().item<double>(), .responses = mask.sum(1).gt(0).sum().item<double>()};
}

TEST(PolicyLoss, GradientAgreesWithFiniteDifferences) {
  for (const Aggregation aggregation :
       {Aggregation::token_mean, Aggregation::seq_mean_token_mean, Aggregation::seq_mean_token_sum_norm}) {
    const LossSettings settings{.clip_high = 0.28, .aggregation = aggregation, .max_response_tokens = 9};
    LossInputs inputs = random_inputs(5, 4, 6);
    const Denominators global = denominators(inputs.mask);
    whole_loss(settings, inputs, global).backward();
    const torch::Tensor gradient = inputs.log_probs.grad().clone();
    const double step = 1e-6;
    const torch::NoGradGuard no_gradient;
    const torch::Tensor at = inputs.log_probs.detach().clone();
    for (int64_t i = 0; i < at.size(0); ++i) {
      for (int64_t t = 0; t < at.size(1); ++t) {
        const auto loss_at = [&](double move) {
          inputs.log_probs = at.clone();
          inputs.log_probs[i][t] += move;
          return whole_loss(settings, inputs, global).item<double>();
        };
        EXPECT_NEAR((loss_at(step) - loss_at(-step)) / (2 * step), gradient[i][t].item<double>(), 1e-7);
      }
    }
  }
}

TEST(PolicyLoss, PaddingNeverChangesIt) {
  const LossSettings settings{.aggregation = Aggregation::seq_mean_token_mean};
  LossInputs inputs = random_inputs(6, 5, 7);
  const Denominators global = denominators(inputs.mask);
  whole_loss(settings, inputs, global).backward();
  LossInputs padded = inputs;
  const torch::Tensor outside = inputs.mask == 0;
  padded.log_probs = inputs.log_probs.detach().masked_fill(outside, std::nan("")).requires_grad_(true);
  padded.old_log_probs = inputs.old_log_probs.masked_fill(outside, 1e300);
  padded.advantages = inputs.advantages.masked_fill(outside, -77);
  whole_loss(settings, padded, global).backward();
  EXPECT_TRUE(torch::equal(padded.log_probs.grad(), inputs.log_probs.grad()));
}

TEST(PolicyLoss, PartsAddUpToTheWholeForAnySplit) {
  for (const Aggregation aggregation :
       {Aggregation::token_mean, Aggregation::seq_mean_token_mean, Aggregation::seq_mean_token_sum_norm}) {
    const LossSettings settings{.aggregation = aggregation, .max_response_tokens = 8};
    LossInputs inputs = random_inputs(7, 9, 8);
    const Denominators global = denominators(inputs.mask);
    const torch::Tensor whole = whole_loss(settings, inputs, global);
    for (const int64_t size : {1, 2, 7}) {
      double sum = 0;
      for (int64_t begin = 0; begin < 9; begin += size) {
        const auto part = [&](const torch::Tensor& tensor) {
          return tensor.slice(0, begin, std::min<int64_t>(9, begin + size));
        };
        const LossInputs micro{.mask = part(inputs.mask),
                               .log_probs = part(inputs.log_probs),
                               .old_log_probs = part(inputs.old_log_probs),
                               .ref_log_probs = part(inputs.ref_log_probs),
                               .entropies = {},
                               .advantages = part(inputs.advantages),
                               .selected = {}};
        sum += whole_loss(settings, micro, global).item<double>();
      }
      EXPECT_NEAR(sum, whole.item<double>(), 1e-12);
    }
  }
}

TEST(MicroTokenMean, DividesInsideEachMicroBatch) {
  const torch::Tensor terms = row({1, 2, 3});
  const torch::Tensor mask = row({1, 1, 0});
  const double loss =
      aggregate({.aggregation = Aggregation::micro_token_mean}, terms, mask, {.tokens = 10, .responses = 4, .micro_batches = 2})
          .item<double>();
  EXPECT_DOUBLE_EQ(loss, 0.75);
}

TEST(LossSettings, RefuseADualClipThatWouldCutTheRangeItself) {
  Config config;
  config.set("loss.dual_clip=0.5");
  ConfigReader keys(config);
  EXPECT_THROW((void)read_loss_settings(keys, 8), Error);
}

}  // namespace
}  // namespace harness
