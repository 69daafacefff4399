// Dr. GRPO: GRPO without the two divisions that bias it (Liu et al., arXiv 2503.20783).
//
// Differs from GRPO in:
// 1. A_i = r_i - mean: no division by the group's spread.
// 2. The loss is the token sum divided by (responses x maximum response length), a constant, instead of a mean over each
//    response's own length (loss.aggregation = "seq_mean_token_sum_norm").
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "dr_grpo"; no keys of its own.
harness::MethodEntry dr_grpo_entry();

}  // namespace baselines
