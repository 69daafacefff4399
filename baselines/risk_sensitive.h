// Risk-sensitive GRPO: the advantage of an exponential utility, which favours rare successes (Jiang et al., arXiv 2509.24261).
//
// Differs from its base in:
// 1. A_i = (exp(beta s_i) / mean of exp(beta s) - 1) / beta, means over the group, no division by the spread; for beta -> 0
//    that is s_i - mean, and beta = 0 is it.
// Verified in descriptions of the paper: its equation 8, and beta 2 (best between pass@1 and pass@k).
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "risk_sensitive"; key method.beta.
harness::MethodEntry risk_sensitive_entry();

}  // namespace baselines
