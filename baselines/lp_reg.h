// Lp-Reg: unlikely tokens that are no noise are kept alive where a wrong response would push them down (Huang et al., arXiv
// 2510.03222).
//
// Differs from its base in:
// 1. The proxy of a place is the policy of the step's beginning without its tokens below `tau` (by `threshold` a probability or
//    a share of the place's largest), renormalised. Tokens of a negative advantage, an old log-prob among the lowest `share` of
//    those of the mini-batch and a probability that is not below either get beta times the forward KL from the proxy to the
//    current policy added to their loss, by `estimator`:
//      "k3": of the token alone, exp(d) - d - 1 with d = ln proxy - ln current (the released code, so that of the paper's
//      numbers); "full": over the place's tokens, as the formula has it, at 1 / tau products with the head a token.
// Verified in the released code (CarlanLark/Lp-Reg-dev): the three conditions, k3, beta 1, share 0.01 (0.005 at 32B), tau 0.02
// and "relative" ("minp" there). There such a token's loss also loses its clip, and the lowest tokens are those of a
// micro-batch by the current policy; here the base's form stays, and the choice is the mini-batch's by the old one.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "lp_reg"; keys method.tau, beta, share, threshold, estimator.
harness::MethodEntry lp_reg_entry();

}  // namespace baselines
