// GSPO: the ratio of a whole response instead of each token's (Zheng et al., arXiv 2507.18071).
//
// Differs from its base in:
// 1. s_i = exp(mean_t (l_t - l_old,t)), the geometric mean of the token ratios, takes the place of rho_t in
//    max(-A s, -A clip(s, 1 - low, 1 + high)); no dual clip. The mean log-ratio is clamped to +-20.
// 2. The clip range is [1 - 3e-4, 1 + 4e-4].
// The mean over responses of the paper's eq. 5 is the aggregation of the GRPO base; on the DAPO base the aggregation stays that
// base's token mean, which weighs long responses more (loss.aggregation = "seq_mean_token_mean" undoes it).
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "gspo"; no keys of its own.
harness::MethodEntry gspo_entry();

}  // namespace baselines
