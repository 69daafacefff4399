// CISPO: every token keeps its gradient, only its importance weight is capped (MiniMax-M1, arXiv 2506.13585).
//
// Differs from its base in:
// 1. The policy term is -sg(min(rho_t, high)) A_t l_t, sg: no gradient. No clip range, no dual clip, no lower bound.
// `high` (5) is the cap of the ratio itself. The paper says that it tunes the upper bound only and does not print the value it
// used: 5 is not verified.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "cispo"; key method.high.
harness::MethodEntry cispo_entry();

}  // namespace baselines
