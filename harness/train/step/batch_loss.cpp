#include "harness/train/step/batch_loss.h"

#include <torch/types.h>

#include <utility>

namespace harness {

namespace {

// A leaf of its own with these values; undefined stays undefined.
torch::Tensor leaf_of(const torch::Tensor& values) { return values.defined() ? values.detach().requires_grad_(true) : values; }

torch::Tensor gradient_of(const torch::Tensor& leaf) { return leaf.grad().defined() ? leaf.grad() : torch::zeros_like(leaf); }

}  // namespace

ShapedRewards shape_rewards(MethodStack& methods, const StepBatch& step, Metrics& metrics) {
  ShapedRewards shaped;
  for (const Sample& sample : step.samples) shaped.scores.push_back(sample.reward);
  methods.shape_rewards(step, shaped.scores, metrics);
  shaped.advantages = methods.advantages(step, shaped.scores);
  return shaped;
}

BatchLoss::BatchLoss(const MethodStack& methods, const LossSettings& settings, TokenBatch batch)
    : methods_(methods), settings_(settings), batch_(std::move(batch)) {
  methods_.shape_token_advantages(batch_);
  selected_ = methods_.select_tokens(batch_);
  if (batch_.weights.defined()) batch_.advantages = batch_.advantages * batch_.weights;
  global_.tokens = batch_.mask.sum(torch::kFloat64).item<double>();
  global_.responses = (batch_.mask.sum(1) > 0).sum().item<double>();
}

BatchLoss::Part BatchLoss::of_rows(int64_t begin, int64_t end, const torch::Tensor& log_probs, const torch::Tensor& entropies,
                                   const torch::Tensor& top) const {
  const auto rows = [&](const torch::Tensor& whole) { return whole.defined() ? whole.slice(0, begin, end) : whole; };
  const Needs needs = methods_.needs();
  const LossInputs inputs{.mask = rows(batch_.mask),
                          .log_probs = leaf_of(log_probs),
                          .old_log_probs = rows(batch_.old_log_probs),
                          .ref_log_probs = rows(batch_.ref_log_probs),
                          .entropies = needs.entropy_gradient ? leaf_of(entropies) : torch::Tensor(),
                          .old_top_log_probs = rows(batch_.old_top_log_probs),
                          .top_log_probs = needs.top_gradient ? leaf_of(top) : torch::Tensor(),
                          .stored = rows(batch_.stored),
                          .advantages = rows(batch_.advantages),
                          .selected = rows(selected_)};
  Part part;
  const torch::AutoGradMode enabled(true);
  const torch::Tensor loss = methods_.loss(settings_, inputs, global_, part.sums);
  if (loss.requires_grad()) loss.backward();
  part.loss = loss.item<double>();
  part.by_log_probs = gradient_of(inputs.log_probs);
  if (needs.entropy_gradient) part.by_entropies = gradient_of(inputs.entropies);
  if (needs.top_gradient) part.by_top = gradient_of(inputs.top_log_probs);
  return part;
}

}  // namespace harness
