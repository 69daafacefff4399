// QAE: a quantile of the group's scores as baseline instead of their mean (Wu et al., arXiv 2509.22611).
//
// Differs from its base in:
// 1. A_i = (s_i - b) / (std + 1e-6), b the `quantile`-quantile of the group's G scores: the smallest of them that at least
//    quantile * G do not exceed. For rewards 0 and 1: 0 while c / G <= 1 - quantile, where right responses alone learn; 1
//    above, where wrong ones alone do. std is GRPO's.
// Verified: the two regimes, in the abstract, and 0.4 and the form of a second implementation, which divides by sqrt(p (1 - p))
// instead of the unbiased std. Not verified: 0.4 as the paper's own default.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "qae"; key method.quantile.
harness::MethodEntry qae_entry();

}  // namespace baselines
