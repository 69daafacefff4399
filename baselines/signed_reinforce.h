// PSR, NSR and W-REINFORCE: REINFORCE on the sign of the outcome, right and wrong weighed apart (Zhu et al., arXiv 2506.01347).
//
// They differ from their base in:
// 1. A = +1 for a right response and -1 for a wrong one: no group mean, no spread.
// 2. psr keeps the right ones only, nsr the wrong ones only, w_reinforce multiplies the right ones by lambda (0.1).
// 3. Only right and wrong count: shaped rewards (the overlong penalty included) do not reach the advantage.
// The loss form is the base's. The paper trains without KL to a reference; that is recipe (loss.kl_coef), off in the DAPO base.
#pragma once

#include <vector>

#include "harness/train/method/method.h"

namespace baselines {

// Names "nsr", "psr" (no keys) and "w_reinforce" (method.lambda).
std::vector<harness::MethodEntry> signed_reinforce_entries();

}  // namespace baselines
