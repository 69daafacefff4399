// Clip-Cov: drops the gradient of a few tokens whose log-prob and advantage rise together (Cui et al., arXiv 2505.22617).
//
// Differs from its base in:
// 1. cov_t = (A_t - mean A) (l_t - mean l) over the mini-batch's tokens. Among the tokens that the clip range leaves alone and
//    whose cov_t lies in (cov_low, cov_high) = (1, 5), a random share `ratio` (2e-4) of all tokens is chosen; their value and
//    gradient leave the policy term, the denominator stays.
// 2. The clip range is [0, 2] (both bounds 1), as in the published code.
// 3. l_t is the current policy's at the beginning of the mini-batch; the choice is over the whole mini-batch and keyed by row
//    and position. max(1, floor(ratio * tokens)) are taken, fewer only where fewer qualify. The base's dual clip stays.
// "selected" marks the tokens that are dropped.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "clip_cov"; keys method.ratio, cov_low, cov_high. Making it throws Error unless cov_low < cov_high.
harness::MethodEntry clip_cov_entry();

}  // namespace baselines
