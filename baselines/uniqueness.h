// Uniqueness-aware RL: right responses of a rare strategy weigh more than those of a common one (Hu et al., arXiv 2601.08763).
//
// Differs from its base in:
// 1. The advantage of a right response is multiplied by f^-alpha, f the size of its strategy cluster among the right
//    responses of its group; wrong ones keep theirs.
// 2. The paper lets a language model judge which responses share a strategy. Here `strategy` says what stands for it: clusters
//    of fingerprints or equal answers (baselines/partition.h).
// alpha in (0, 1]; the default 1 is not verified.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "uniqueness"; keys method.alpha, strategy.
harness::MethodEntry uniqueness_entry();

}  // namespace baselines
