// DPH-RL: problems that the base model masters rehearse its own answers, the others learn without a KL (Li et al., arXiv
// 2509.07430).
//
// Differs from its base in:
// 1. Before the first step the base model answers every training problem `samples` times. A problem with at least `mastered`
//    right answers is mastered: where it comes up, those answers (`right_alone`: the right ones among them)
//    stand in the place of new responses.
// 2. Their loss is eta times a divergence of the policy from the base model, a token at a time (u = policy / base):
//      "kl": u - 1 - ln u, "kl_plain": -ln u; the mean of both is KL(base || policy)
//      "js": u ln u - (u + 1) ln((u + 1) / 2); its mean is twice the Jensen-Shannon divergence
//    Their advantages are 0.
// 3. The other problems have the base's loss without KL to the base model (loss.kl_coef = 0).
// The group filter keeps stored groups. Verified in the released code (seamoke/DPH-RL): 8 samples, answers of the base alone,
// "kl" (low_var_kl, eta 0.01 to 0.05) and "js" (js_low_var, 0.05 to 0.2), so those of the paper's numbers; it rehearses one
// right answer of a problem with 8 right of 8 (its README), which `mastered` and `right_alone` come near to. Plain KL and all
// answers are the formula; 6 of 8 is at second hand.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "dph_rl"; keys method.eta, divergence, samples, mastered, right_alone.
harness::MethodEntry dph_rl_entry();

}  // namespace baselines
