// Cue-GRPO: the advantage of a group's right responses is shared out by how rare their form is (Cao, Wen and Fang, arXiv
// 2608.03467).
//
// Differs from its base in:
// 1. Right: A_i <- A_i clamp(n size_i^-alpha / sum of size_j^-alpha, 0.3, 3) over the n right responses of the group, size the
//    number of them in the class of response i; before the clamp the weights have mean 1. Wrong responses keep theirs.
// 2. The paper's classes are made by rules that find a strategy in the text ("cues"). Here `partition` says what stands for
//    them: clusters of fingerprints or equal answers (baselines/partition.h).
// Stands on any advantage. Verified in the abstract and a second implementation: rarity weights with mean 1, alpha, the clamp;
// that implementation restores the mean after the clamp, here as in the paper's formula at second hand it does not.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "cue_grpo"; keys method.alpha, partition.
harness::MethodEntry cue_grpo_entry();

}  // namespace baselines
