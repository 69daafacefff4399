// Entropy bonus: rewards the policy for staying uncertain (PPO, arXiv 1707.06347, eq. 9).
//
// Differs from its base in:
// 1. loss - beta * mean_t H_t, with the gradient through the entropies; the mean is the base's aggregation.
// Default beta 1e-3; the usual sweep is 1e-4 to 1e-2.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "entropy_bonus"; key method.beta.
harness::MethodEntry entropy_bonus_entry();

}  // namespace baselines
