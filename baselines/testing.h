// A mini-batch for tests of methods, and what a stack makes of it in any number of micro-batches.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "baselines/all_methods.h"
#include "baselines/bases.h"
#include "harness/core/random.h"
#include "harness/train/method/method_catalog.h"
#include "harness/train/step/batch_loss.h"

namespace baselines::testing {

struct MiniBatch {
  harness::StepBatch step;      // samples in the order of the rows
  harness::TokenBatch tokens;   // advantages not yet set
  torch::Tensor top_log_probs;  // [B, T, K] under the current policy
};

// `groups` groups of `responses`, right with probability 1/2, of 1 to `positions` tokens; double.
inline MiniBatch random_batch(uint64_t seed, int64_t groups, int64_t responses, int64_t positions) {
  const harness::RandomStream draw("mini-batch of a test", {seed});
  uint64_t counter = 0;
  const int64_t rows = groups * responses;
  const auto matrix = [&](auto&& value) {
    torch::Tensor out = torch::zeros({rows, positions}, torch::kDouble);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t t = 0; t < positions; ++t) out[i][t] = value();
    }
    return out;
  };
  MiniBatch batch;
  torch::Tensor mask = torch::zeros({rows, positions}, torch::kDouble);
  for (int64_t i = 0; i < rows; ++i) {
    mask[i].slice(0, 0, 1 + static_cast<int64_t>(draw.below(counter++, static_cast<uint64_t>(positions)))).fill_(1);
    batch.tokens.row_keys.push_back(draw.bits(counter++));
  }
  batch.tokens.mask = mask;
  batch.tokens.old_log_probs = matrix([&] { return -2 * draw.uniform(counter++); }) * mask;
  batch.tokens.current_log_probs = (batch.tokens.old_log_probs + 0.4 * matrix([&] { return draw.normal(counter++); })) * mask;
  batch.tokens.sampling_entropies = matrix([&] { return draw.uniform(counter++); }) * mask;
  batch.tokens.current_entropies = batch.tokens.sampling_entropies;
  batch.tokens.ref_log_probs = (batch.tokens.old_log_probs + 0.4 * matrix([&] { return draw.normal(counter++); })) * mask;
  constexpr int64_t kColumns = 4;  // of eight tokens: the sampled one is among them or is not
  batch.top_log_probs = torch::zeros({rows, positions, kColumns}, torch::kDouble);
  batch.tokens.most_likely = torch::zeros_like(mask);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t t = 0; t < positions; ++t) {
      torch::Tensor logits = torch::zeros({8}, torch::kDouble);
      for (int64_t v = 0; v < 8; ++v) logits[v] = draw.normal(counter++);
      batch.top_log_probs[i][t] = std::get<0>(logits.log_softmax(0).topk(kColumns));
      batch.tokens.most_likely[i][t] = draw.uniform(counter++) < 0.5 ? 1 : 0;
    }
  }
  batch.tokens.old_top_log_probs = batch.top_log_probs * mask.unsqueeze(2);
  batch.top_log_probs = batch.tokens.old_top_log_probs * 1.1;
  batch.tokens.most_likely *= mask;
  batch.tokens.stored = mask * (torch::arange(rows).unsqueeze(1) % (2 * responses) >= responses).to(torch::kDouble);
  batch.step = {.step = 1, .groups = groups, .samples = std::vector<harness::Sample>(static_cast<size_t>(rows))};
  for (int64_t i = 0; i < rows; ++i) {
    harness::Sample& sample = batch.step.samples[static_cast<size_t>(i)];
    sample.group = i / responses;
    sample.problem = static_cast<uint64_t>(sample.group);
    sample.correct = draw.uniform(counter++) < 0.5;
    sample.reward = sample.correct ? 1 : 0;
    sample.has_answer = true;
    sample.answer = sample.correct ? "right" : "wrong" + std::to_string(draw.below(counter++, 3));
    sample.mean_log_prob = -draw.uniform(counter++);
    sample.tokens = mask[i].sum().item<int64_t>();
    sample.key = batch.tokens.row_keys[static_cast<size_t>(i)];
    for (int d = 0; d < 4; ++d) sample.fingerprint.push_back(static_cast<float>(draw.normal(counter++)));
    sample.mean_readout = sample.fingerprint;
  }
  return batch;
}

// A stack with the settings of its base (of make_arm: "" is what the first method's source stands on).
struct Arm {
  harness::MethodStack stack;
  harness::LossSettings settings;
};

inline Arm make_arm(const std::vector<std::string>& names, const std::string& base,
                    const std::vector<std::string>& assignments = {},
                    const std::vector<harness::MethodEntry>& entries = all_methods()) {
  harness::Config user;
  user.set("method.name", names, "test");
  if (!base.empty()) user.set("base", base, "test");
  for (const std::string& assignment : assignments) user.set(assignment, "test");
  Arm arm;
  const harness::MethodCatalog catalog(entries, bases());
  const harness::Config config = catalog.with_base(user);
  harness::ConfigReader keys(config);
  arm.stack = catalog.make_stack(keys);
  arm.settings = harness::read_loss_settings(keys, 16);
  return arm;
}

struct Outcome {
  std::vector<double> group_advantages;  // [B]
  torch::Tensor advantages, selected;    // [B, T]; selected may be undefined
  torch::Tensor gradient;                // [B, T] of the loss, by log-probs
  torch::Tensor entropy_gradient;        // [B, T]; undefined unless needed
  torch::Tensor top_gradient;            // [B, T, K]; undefined unless needed
  double loss = 0;
};

// Micro-batches of `rows_each` rows; 0: the whole mini-batch at once.
inline Outcome evaluate(Arm& arm, const MiniBatch& batch, int64_t rows_each = 0) {
  harness::Metrics metrics;
  Outcome outcome;
  outcome.group_advantages = harness::shape_rewards(arm.stack, batch.step, metrics).advantages;
  harness::TokenBatch tokens = batch.tokens;
  tokens.advantages = torch::tensor(outcome.group_advantages, torch::kDouble).unsqueeze(1) * tokens.mask;
  harness::BatchLoss loss(arm.stack, arm.settings, std::move(tokens));
  outcome.advantages = loss.batch().advantages;
  outcome.selected = loss.selected();
  const int64_t rows = batch.tokens.mask.size(0);
  const int64_t each = rows_each == 0 ? rows : rows_each;
  loss.set_parts((rows + each - 1) / each);
  std::vector<torch::Tensor> by_log_probs, by_entropies, by_top;
  for (int64_t begin = 0; begin < rows; begin += each) {
    const int64_t end = std::min(rows, begin + each);
    const harness::BatchLoss::Part part =
        loss.of_rows(begin, end, batch.tokens.current_log_probs.slice(0, begin, end),
                     batch.tokens.current_entropies.slice(0, begin, end), batch.top_log_probs.slice(0, begin, end));
    outcome.loss += part.loss;
    by_log_probs.push_back(part.by_log_probs);
    if (part.by_entropies.defined()) by_entropies.push_back(part.by_entropies);
    if (part.by_top.defined()) by_top.push_back(part.by_top);
  }
  outcome.gradient = torch::cat(by_log_probs);
  if (!by_entropies.empty()) outcome.entropy_gradient = torch::cat(by_entropies);
  if (!by_top.empty()) outcome.top_gradient = torch::cat(by_top);
  return outcome;
}

}  // namespace baselines::testing
