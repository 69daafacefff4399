// STEER: tokens whose update would change the policy's entropy most weigh least (Hao et al., arXiv 2510.10150).
//
// Differs from its base in:
// 1. A_t <- A_t exp(ln(lambda_min) |w_t| / max |w|), the maximum over all tokens of the mini-batch. With p the current
//    probability of the token, H its entropy and r its ratio, by `change`:
//      "formula": w = r A p (1 - p) (ln p + H), 0 where the base's clip bounds take the token's gradient away
//      "code":    w = r A (1 - p) (ln p + H), clipped or not, p within 1e-8 of 0 and 1, the maximum at least 0.02
// 2. p, H and r are those at the beginning of the mini-batch, constants; r is not clamped before the update.
// Verified in the released code (zz-haooo/STEER, compute_token_weights, mode "symmetric", exponential map): "code", so that of
// the paper's numbers; it divides by the old probability where the formula has the ratio, so a factor p is missing. Its script
// has lambda_min 0.8; 0.7 is the paper's fourth version, at second hand, as the formula is.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "steer"; keys method.lambda_min, change.
harness::MethodEntry steer_entry();

}  // namespace baselines
