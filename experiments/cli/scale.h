// --scale: one factor that shrinks (or grows) an experiment: steps, prompts and responses a step, samples of an evaluation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/config.h"

namespace experiments {

struct ScaledKey {
  std::string key;
  int64_t before = 0, after = 0;
};

// Multiplies train.steps, train.prompts_per_step, train.mini_batch_prompts, train.responses_per_prompt (at least 2) and eval.n
// by `scale`, rounded, at least 1; optimizer.warmup_updates by the ratio of all updates, so that the warm-up stays the same
// share of the training. Returns the keys whose values changed, in this order. Nothing happens at scale 1.
std::vector<ScaledKey> apply_scale(harness::Config& config, double scale);

// "--scale 0.01: train.steps 100 to 1, eval.n 128 to 1"; rows with other values are joined with "or".
std::string scale_note(double scale, const std::vector<std::vector<ScaledKey>>& rows);

// The k of a table that n samples allow; n itself instead of those above it.
std::vector<int64_t> reachable_k(const std::vector<int64_t>& k, int64_t n);

}  // namespace experiments
