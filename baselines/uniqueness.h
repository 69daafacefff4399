// Uniqueness-aware RL: right responses of a rare strategy weigh more than those of a common one (Hu et al., arXiv 2601.08763).
//
// Differs from its base in:
// 1. The GRPO advantage of a right response is multiplied by f^-alpha, f the size of its strategy cluster among the right
//    responses of its group; wrong ones keep theirs.
// 2. The paper lets a language model judge which responses share a strategy. Here `strategy` says what stands for it:
//    "fingerprint" (default): HDBSCAN on the L2-normalised fingerprints (min_cluster_size 2, min_samples 1); noise is a
//    strategy of its own, except that bit-identical fingerprints share one; a response without a fingerprint is alone.
//    "answer": equal normalised answers.
// alpha in (0, 1]; the default 1 is not verified.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "uniqueness"; keys method.alpha, strategy. Fingerprints of differing lengths throw Error.
harness::MethodEntry uniqueness_entry();

}  // namespace baselines
