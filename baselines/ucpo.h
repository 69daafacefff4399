// UCPO: the advantage of a group's right responses is shared out towards a uniform distribution over them (Lochab, Li and
// Zhang, arXiv 2605.00365).
//
// Differs from its base in:
// 1. Of the n right responses of a group, q_i = softmax over them of their log-prob under the sampling policy, at least 1e-6:
//      A_i <- A_i n ((1 - tau) / n + tau (1 / q_i) / sum of 1 / q_j)
//    Equal advantages keep their sum. Wrong responses keep theirs.
// 2. `log_prob` says which: "mean" over the response's tokens (the released code, so that of the paper's numbers) or their
//    "sum", the log-prob of the whole response that the formula has.
// Stands on any advantage. Verified in the released code (AnamikaLochab/UCPO, compute_dgrpo_advantage_outcome_invq_l): the
// mean, 1e-6, and tau 0.2 of its scripts; the sum in a second implementation of equations 47, 51 and 16.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "ucpo"; keys method.tau, log_prob.
harness::MethodEntry ucpo_entry();

}  // namespace baselines
