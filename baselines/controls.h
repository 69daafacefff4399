// Plain controls: what a method must beat to be worth its name, and DAPO without each of its pieces (arXiv 2503.14476).
//
// Each differs from its base in one thing:
// 1. temperature: rollouts are sampled at temperature 1.2, and their log-probs and ratios are those of that policy.
// 2. dapo_no_clip_higher, dapo_no_filter, dapo_no_overlong, dapo_no_token_mean: that piece set as in GRPO.
// A larger group at equal tokens and another seed of the same method (the noise floor) are keys of the run, not methods.
#pragma once

#include <vector>

#include "harness/train/method/method.h"

namespace baselines {

// Names "dapo_no_clip_higher", "dapo_no_filter", "dapo_no_overlong", "dapo_no_token_mean" (keys alone) and "temperature"
// (method.temperature).
std::vector<harness::MethodEntry> control_entries();

}  // namespace baselines
