// 80/20: the policy gradient of the forking tokens alone (Wang et al., arXiv 2506.01939).
//
// Differs from its base in:
// 1. The policy term counts only on the top share rho (0.2) of the mini-batch's tokens by entropy; KL and entropy terms keep
//    all tokens.
// 2. The denominator stays that of all tokens, chosen or not (the paper's eq. 6).
// 3. Entropies are the current policy's at the beginning of the mini-batch, and the choice is over the whole mini-batch. The
//    published code takes ceil(rho * tokens); so does this. Equal entropies are told apart by row key and position.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "top_entropy"; key method.rho.
harness::MethodEntry top_entropy_entry();

}  // namespace baselines
