// DPH-RL: problems that the base model masters rehearse its own answers, the others learn without a KL (Li et al., arXiv
// 2509.07430).
//
// Differs from its base in:
// 1. Before the first step the base model answers every training problem `samples` times. A problem with at least `mastered`
//    right answers is mastered: where it comes up, those answers, right and wrong, stand in the place of new responses.
// 2. Their loss is eta times a divergence of the policy from the base model, a token at a time (u = policy / base):
//      "kl": -ln u, whose mean is KL(base || policy); "js": (u ln u - (u + 1) ln((u + 1) / 2)) / 2, whose mean is the
//    Jensen-Shannon divergence. Their advantages are 0.
// 3. The other problems have the base's loss without KL to the base model (loss.kl_coef = 0).
// The group filter keeps stored groups. Verified in the abstract: forward KL or JS by their generators, on answers sampled from
// the initial policy alone. At second hand: 8 samples, 6 right. Not verified: eta, chosen here; whether wrong answers are
// rehearsed too.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "dph_rl"; keys method.eta, divergence, samples, mastered.
harness::MethodEntry dph_rl_entry();

}  // namespace baselines
