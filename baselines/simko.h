// SimKO: right responses raise the likely tokens of a place together, wrong ones lower the likeliest most (Peng et al., arXiv
// 2510.14807; "CaSP" in its third version).
//
// Differs from its base in, at tokens whose entropy is above the `quantile`-quantile of their response's entropies:
// 1. A > 0: the ratio rho becomes (1 - a) rho + (a / k) sum over the k most likely tokens of sg(rho / rho_j) rho_j, sg being a
//    constant: its value stays rho, a share a of its gradient goes to those tokens.
// 2. A < 0 and the token is the most likely one of its place: A <- boost A.
// The k tokens are those of the policy when the step began, at the sampling temperature; entropies are the sampling policy's.
// Verified in the paper (its equation 5 and "within the response") and in the released code (CLR-Lab/SimKO: k 3, quantile 0.8,
// a 0.01, boost 1.1; an interpolated quantile, strictly above). There entropies and the most likely token are the updated
// policy's, the k tokens each policy's own, and right and wrong told by the reward where here the sign of A does it.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "simko"; keys method.k, quantile, a, boost.
harness::MethodEntry simko_entry();

}  // namespace baselines
