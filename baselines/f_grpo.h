// F-GRPO: groups that are mostly right count less, by a focal weight (Plyusov et al., arXiv 2602.06717).
//
// Differs from its base in:
// 1. A <- A (1 - c / G)^gamma, c the right responses of the G of a group. A group of right responses alone gets 0.
// Stands on any advantage. Verified: the weight, in descriptions of the paper and in UCPO's released code, which has gamma 0.5
// as its default. Not verified: gamma in the paper's own runs.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "f_grpo"; key method.gamma.
harness::MethodEntry f_grpo_entry();

}  // namespace baselines
