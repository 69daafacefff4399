// The policy loss: clipped surrogate, k3 KL, aggregation with global denominators.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>

#include "harness/core/config_reader.h"

namespace harness {

// token_mean: sum over tokens / tokens of the mini-batch. seq_mean_token_mean: mean over responses of each one's token mean.
// seq_mean_token_sum_norm: token sum / (responses x max_response_tokens). micro_token_mean: token_mean inside each micro-batch,
// then averaged over micro-batches; only to reproduce the published recipe.
enum class Aggregation { token_mean, seq_mean_token_mean, seq_mean_token_sum_norm, micro_token_mean };

// The loss of a run (loss.*), the same for every method; ratios are of the current to the old policy.
struct LossSettings {
  double clip_low = 0.2;
  double clip_high = 0.2;
  double dual_clip = 3.0;  // bound of the ratio for A < 0; 0: off
  double kl_coef = 0.0;    // k3 KL to the reference policy; 0: off (no reference is kept)
  Aggregation aggregation = Aggregation::token_mean;
  int64_t max_response_tokens = 0;  // of the run; for seq_mean_token_sum_norm
};

// Reads loss.* (clip_low, clip_high, dual_clip, kl_coef, aggregation). Throws Error for a dual_clip that is neither 0 nor
// above 1.
LossSettings read_loss_settings(ConfigReader& keys, int64_t max_response_tokens);

// Tensors [B, T], one floating dtype (double in `inspect loss`, float in training).
struct LossInputs {
  torch::Tensor mask;       // 1 on response tokens
  torch::Tensor log_probs;  // leaf that requires a gradient
  torch::Tensor old_log_probs;
  torch::Tensor ref_log_probs;        // undefined without a reference
  torch::Tensor entropies;            // leaf that requires a gradient; undefined unless needed
  torch::Tensor old_top_log_probs{};  // [B, T, K] of the most likely tokens when the step began; undefined unless needed
  torch::Tensor top_log_probs{};  // [B, T, K] of the same tokens now, a leaf that requires a gradient; undefined unless needed
  torch::Tensor stored{};  // 1 on tokens of stored answers, whose old log-probs are the base model's; undefined: there are none
  torch::Tensor advantages;
  torch::Tensor selected;  // 0/1; undefined: no method selects
};

// Counts over the whole mini-batch, whatever its split.
struct Denominators {
  double tokens = 0;         // sum of the mask
  double responses = 0;      // rows with at least one token
  double micro_batches = 1;  // for micro_token_mean
};

// Sums over tokens, to be divided by Denominators::tokens: "clip_fraction_low" (A < 0, ratio below the range),
// "clip_fraction_high" (A > 0, above it), "clip_fraction_dual", "approx_kl", "kl" (to the reference), "selected_fraction", ...
using LossSums = std::map<std::string, double>;

// Adds "approx_kl" (rho - 1 - ln rho over tokens sampled by the old policy, Schulman's k3 of KL(old || current)) and, where
// there is a reference, "kl" to the sums. Stored answers, which the old policy did not sample, count as 0.
void record_divergence(const LossInputs& inputs, LossSums& sums);
// Log-ratio of the current to the old policy, clamped to +-20, 0 outside the mask. [B, T]
torch::Tensor log_ratio(const LossInputs& inputs);
// PPO's clipped surrogate (arXiv 1707.06347, eq. 7) with dual clip (arXiv 1912.09729), as a loss per token [B, T]:
// max(-A rho, -A clip(rho, 1 - clip_low, 1 + clip_high)), for A < 0 at most -A dual_clip. Adds the tokens that each bound takes
// to the sums clip_fraction_low, clip_fraction_high, clip_fraction_dual.
torch::Tensor clipped_surrogate(const LossSettings& settings, const LossInputs& inputs, LossSums& sums);
// k3 estimator of KL(current || reference), per token [B, T]: exp(d) - d - 1 with d = ln(reference / current), within +-10
// (GRPO, arXiv 2402.03300, eq. 4).
torch::Tensor k3_kl(const LossInputs& inputs);
// Terms [B, T] -> scalar, by the settings' aggregation; what stands outside the mask counts for nothing. A part of a mini-batch
// gives its part of the whole's loss.
torch::Tensor aggregate(const LossSettings& settings, const torch::Tensor& terms, const torch::Tensor& mask,
                        const Denominators& global);

}  // namespace harness
