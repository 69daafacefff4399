// QAE: a quantile of the group's scores as baseline instead of their mean (Wu et al., arXiv 2509.22611).
//
// Differs from its base in:
// 1. A_i = (s_i - b) / (std + 1e-6), b the `quantile`-quantile of the group's G scores: the smallest of them that at least
//    quantile * G do not exceed. For rewards 0 and 1: 0 while c / G <= 1 - quantile, where right responses alone learn; 1
//    above, where wrong ones alone do. std is GRPO's.
//    `interpolated`: b lies between two scores where the quantile does, as in torch.quantile.
// Verified in the README of the released code (junkangwu/QAE): 0.4 of its scripts (0.6 where entropy collapses) and its one
// line, torch.quantile in the place of the mean, so that of the paper's numbers; the two regimes are in the abstract.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "qae"; keys method.quantile, interpolated.
harness::MethodEntry qae_entry();

}  // namespace baselines
