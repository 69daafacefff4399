// Pass@k training: the advantage of a response within the pass@k reward of all its groups of k (Chen et al., arXiv 2508.10751).
//
// Differs from its base in:
// 1. With c right of G and R = 1 - C(G-c, k) / C(G, k), sigma = sqrt(R (1 - R)): a right response gets (1 - R) / sigma, a wrong
//    one (1 - R - C(G-c-1, k-1) / C(G-1, k-1)) / sigma, the closed form of averaging over all groups of k.
// 2. A group with sigma 0 has advantage 0.
// 3. Only right and wrong count: shaped rewards (the overlong penalty included) do not reach the advantage.
// Default k 4: the paper's settings lie between 4 and 8; which it holds best for which model is not verified here.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "pass_k_training"; key method.k. A group smaller than k throws Error.
harness::MethodEntry pass_k_training_entry();

}  // namespace baselines
