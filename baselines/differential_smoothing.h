// Differential smoothing: right responses earn more the less likely they were, wrong ones the more likely (arXiv 2511.19942).
//
// Differs from its base in:
// 1. Right: A <- A - tau ln pi(y). Wrong: A <- A + alpha ln pi(y). ln pi(y) is the log-prob of the whole response under the
//    sampling policy, a constant. A group without spread, which the base leaves at 0, learns by this term alone.
// Stands on any advantage. Verified in a second implementation (equation 6 of the paper, gamma_p and gamma_n there); the
// paper's theory (its equation 4) has the base model in the place of the sampling policy. Not verified: the paper's weights;
// 0.01 is chosen here.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "differential_smoothing"; keys method.tau, alpha.
harness::MethodEntry differential_smoothing_entry();

}  // namespace baselines
