// PKPO: rewards transformed so that their policy gradient is an unbiased one of pass@k (Walder et al., arXiv 2505.15201).
//
// Differs from its base in:
// 1. The reward of one of n responses, c of them right, is k/n if it is right, else (k/n) (1 - C(n-1-c, k-1) / C(n-1, k-1)). It
//    replaces the base reward (the overlong penalty included), so PKPO stands first in a list of methods.
// 2. The advantage is that reward minus its group's mean, not divided by the spread: the reward has two values, so divided it
//    would equal GRPO.
// Default k 4 (k <= n); the paper sweeps it.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "pkpo"; key method.k. A group smaller than k throws Error.
harness::MethodEntry pkpo_entry();

}  // namespace baselines
