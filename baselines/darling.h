// DARLING: a response's reward is multiplied by how unlike the others of its group it is (Li et al., arXiv 2509.02534).
//
// Differs from its base in:
// 1. s_i <- s_i max(floor, (G - size_i) / (G - 1)), size_i that of the response's class in its group of G, itself included.
// 2. The paper's classes are made by a trained judge of meaning. Here `partition` says what stands for it: clusters of
//    fingerprints or equal answers (baselines/partition.h). By answers all right responses to a problem with one answer are
//    alike, and each loses the same.
// Verified in the released code (facebookresearch/darling, partition_reward_vllm_serve_deepscaler.py and `multiplicative`): the
// product, the form and the floor 0.1. A reward below 0 (overlong) is multiplied too.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "darling"; keys method.floor, partition.
harness::MethodEntry darling_entry();

}  // namespace baselines
