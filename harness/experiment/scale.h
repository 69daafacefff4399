// --scale: one factor that shrinks (or grows) an experiment: steps, prompts and responses a step, samples of an evaluation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/train/settings.h"

namespace harness {

struct ScaledKey {
  std::string key;
  int64_t before = 0, after = 0;
};

// What becomes of a row at this scale: multiplies train.steps, train.prompts_per_step, train.mini_batch_prompts,
// train.responses_per_prompt (at least 2) and eval.n by `scale`, rounded, at least 1; optimizer.warmup_updates by the ratio of
// all updates, so that the warm-up stays the same share of the training. All these keys, changed or not; none at scale 1.
std::vector<ScaledKey> scaled_keys(const TrainSettings& train, int64_t eval_n, double scale);

// "--scale 0.01: train.steps 100 to 1, eval.n 128 to 1"; rows with other values are joined with "or".
std::string scale_note(double scale, const std::vector<std::vector<ScaledKey>>& rows);

// Steps of a training of `before` steps at the same share of one of `after`; those that fall together are one.
std::vector<int64_t> scaled_steps(const std::vector<int64_t>& steps, int64_t before, int64_t after);

// The k of a table that n samples allow; n itself instead of those above it.
std::vector<int64_t> reachable_k(const std::vector<int64_t>& k, int64_t n);

}  // namespace harness
