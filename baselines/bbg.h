// BBG, Bayesian boundary gating: a group counts by what its problem may still add to pass@k (Yuan et al., arXiv 2606.15455).
//
// Differs from its base in:
// 1. Of a group with c right responses of G, u(c) = k prod_{j=1}^{k-1} (G - c + j) / (G + 1 + j), the mean of k (1 - p)^(k - 1)
//    over p ~ Beta(c + 1, G - c + 1). A <- A u(c) / u(1), and 0 where u(c) < tau (G + 1).
// 2. A group with c = 0 learns by signed REINFORCE: A = -u(0) / u(1) for each response. So that there are such groups it sets
//    filter.enabled = false.
// Stands on any advantage. Verified in a second implementation (equations 8 and 9 of the paper, k 16, tau 0.01): u and the
// gate. Not verified: the paper's k and tau, and the weight of groups with c = 0, which that implementation leaves out.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "bbg"; keys method.k, tau.
harness::MethodEntry bbg_entry();

}  // namespace baselines
