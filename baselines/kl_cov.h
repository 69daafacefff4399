// KL-Cov: a penalty on moving the few tokens whose log-prob and advantage rise together most (Cui et al., arXiv 2505.22617).
//
// Differs from its base in:
// 1. The policy term is -A_t rho_t, without PPO's clip and without the dual clip (the log-ratio stays clamped to +-20).
// 2. The top share `fraction` of the mini-batch's tokens by cov_t = (A_t - mean A) (l_t - mean l) gets + beta |l_t - l_old,t|.
// 3. l_t for the choice is the current policy's at the beginning of the mini-batch; the choice is over the whole mini-batch;
//    max(1, floor(fraction * tokens)) tokens are taken.
// Defaults: beta 1; fraction 2e-3, the authors' for 7B models (2e-4 for 32B).
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "kl_cov"; keys method.fraction, beta.
harness::MethodEntry kl_cov_entry();

}  // namespace baselines
