#include "harness/rl/loss.h"

#include <fmt/ranges.h>
#include <torch/types.h>

#include "harness/core/error.h"

namespace harness {

namespace {

Aggregation aggregation_of(const std::string& name) {
  if (name == "token_mean") return Aggregation::token_mean;
  if (name == "seq_mean_token_mean") return Aggregation::seq_mean_token_mean;
  if (name == "seq_mean_token_sum_norm") return Aggregation::seq_mean_token_sum_norm;
  return Aggregation::micro_token_mean;
}

double masked_sum(const torch::Tensor& values, const torch::Tensor& mask) {
  return (values.detach().to(torch::kDouble) * mask.to(torch::kDouble)).sum().item<double>();
}

torch::Tensor masked_difference(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& mask) {
  MEDSBENCH_CHECK(a.sizes() == b.sizes() && a.sizes() == mask.sizes(), "[B, T] of one shape, found {}, {} and mask {}",
                  fmt::join(a.sizes(), "x"), fmt::join(b.sizes(), "x"), fmt::join(mask.sizes(), "x"));
  // Before the clamp, so that whatever stands in the padding has no gradient.
  return (a - b).masked_fill(mask == 0, 0);
}

}  // namespace

LossSettings read_loss_settings(ConfigReader& keys, int64_t max_response_tokens) {
  LossSettings s;
  s.clip_low = keys.number("loss.clip_low", s.clip_low, 0, 1, "the ratio is clipped at 1 - clip_low");
  s.clip_high = keys.number("loss.clip_high", s.clip_high, 0, "the ratio is clipped at 1 + clip_high");
  s.dual_clip = keys.number("loss.dual_clip", s.dual_clip, 0, "bound of the ratio for negative advantages, above 1; 0: off");
  if (s.dual_clip > 0 && s.dual_clip <= 1) {
    throw Error("{}: loss.dual_clip: expected 0 (off) or a number above 1, found {}", keys.config().name(), s.dual_clip);
  }
  s.kl_coef = keys.number("loss.kl_coef", s.kl_coef, 0, "weight of the k3 KL to the reference policy; 0: no reference is kept");
  s.aggregation = aggregation_of(keys.text("loss.aggregation", "token_mean",
                                           {"token_mean", "seq_mean_token_mean", "seq_mean_token_sum_norm", "micro_token_mean"},
                                           "how the losses of tokens become one number"));
  s.max_response_tokens = max_response_tokens;
  return s;
}

torch::Tensor log_ratio(const LossInputs& inputs) {
  return masked_difference(inputs.log_probs, inputs.old_log_probs, inputs.mask).clamp(-20, 20);
}

torch::Tensor clipped_surrogate(const LossSettings& settings, const LossInputs& inputs, LossSums& sums) {
  const torch::Tensor& advantages = inputs.advantages;
  const torch::Tensor ratio = log_ratio(inputs).exp();
  const torch::Tensor clipped_ratio = ratio.clamp(1 - settings.clip_low, 1 + settings.clip_high);
  const torch::Tensor unclipped = -advantages * ratio;
  const torch::Tensor clipped = -advantages * clipped_ratio;
  torch::Tensor terms = torch::maximum(unclipped, clipped);

  const torch::Tensor is_clipped = clipped.gt(unclipped);
  sums["clip_fraction_low"] += masked_sum(is_clipped.logical_and(advantages < 0), inputs.mask);
  sums["clip_fraction_high"] += masked_sum(is_clipped.logical_and(advantages > 0), inputs.mask);
  if (settings.dual_clip > 0) {
    const torch::Tensor bound = -advantages * settings.dual_clip;
    const torch::Tensor is_bounded = (advantages < 0).logical_and(bound < terms);
    sums["clip_fraction_dual"] += masked_sum(is_bounded, inputs.mask);
    terms = torch::where(advantages < 0, torch::minimum(terms, bound), terms);
  }
  return terms;
}

torch::Tensor k3_kl(const LossInputs& inputs) {
  MEDSBENCH_CHECK(inputs.ref_log_probs.defined(), "k3 needs the reference policy's log-probs");
  const torch::Tensor d = masked_difference(inputs.ref_log_probs, inputs.log_probs, inputs.mask).clamp(-20, 20);
  return (d.exp() - d - 1).clamp(-10, 10);
}

void record_divergence(const LossInputs& inputs, LossSums& sums) {
  const torch::NoGradGuard no_gradient;
  const torch::Tensor d = log_ratio(inputs);
  const torch::Tensor mask = inputs.stored.defined() ? inputs.mask * (1 - inputs.stored) : inputs.mask;
  sums["approx_kl"] += masked_sum(d.exp() - 1 - d, mask);
  if (inputs.ref_log_probs.defined()) sums["kl"] += masked_sum(k3_kl(inputs), inputs.mask);
}

torch::Tensor aggregate(const LossSettings& settings, const torch::Tensor& terms, const torch::Tensor& mask,
                        const Denominators& global) {
  MEDSBENCH_CHECK(terms.sizes() == mask.sizes(), "terms [{}] against mask [{}]", fmt::join(terms.sizes(), "x"),
                  fmt::join(mask.sizes(), "x"));
  const torch::Tensor kept = terms.masked_fill(mask == 0, 0);
  if (global.tokens == 0) return kept.sum();
  switch (settings.aggregation) {
    case Aggregation::token_mean:
      return kept.sum() / global.tokens;
    case Aggregation::seq_mean_token_mean:
      return (kept.sum(1) / mask.sum(1).clamp_min(1)).sum() / global.responses;
    case Aggregation::seq_mean_token_sum_norm:
      MEDSBENCH_CHECK(settings.max_response_tokens > 0, "max_response_tokens {}", settings.max_response_tokens);
      return kept.sum() / (global.responses * static_cast<double>(settings.max_response_tokens));
    case Aggregation::micro_token_mean:
      return kept.sum() / mask.sum().clamp_min(1) / global.micro_batches;
  }
  failed_check("aggregation", __FILE__, __LINE__, "unknown");
}

}  // namespace harness
