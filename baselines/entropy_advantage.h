// Entropy-shaped advantage: uncertain tokens get a larger advantage (Cheng et al., arXiv 2506.14758).
//
// Differs from its base in:
// 1. A_t <- A_t + min(alpha * H_t, |A_t| / kappa), so that a wrong response's token never changes its sign (kappa > 1).
// 2. H_t is the sampling policy's entropy, a constant: no gradient flows through it. The published recipe computes it only if
//    its entropy coefficient is not 0; here it is always there.
// The other settings of the paper's arm (KL, aggregation, dual clip) are recipe: set loss.* for them.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "entropy_advantage"; keys method.alpha, kappa.
harness::MethodEntry entropy_advantage_entry();

}  // namespace baselines
