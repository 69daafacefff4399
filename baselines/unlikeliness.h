// Unlikeliness reward: among right responses, the policy's own unlikely ones earn more (He et al., arXiv 2506.02355).
//
// Differs from its base in:
// 1. r_i <- r_i * (1 - beta * rank_i / G); rank 0 is the response of the group with the least mean token log-prob under the
//    sampling policy. All responses are ranked, right or wrong; equal log-probs rank in the order of sampling.
// Default beta 0.25. The paper's other settings (2 epochs a batch, KL 0.1) are recipe: they are keys of the run and the loss.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "unlikeliness"; key method.beta.
harness::MethodEntry unlikeliness_entry();

}  // namespace baselines
