// Sign advantage: the example of CONTRIBUTING.md, not a published method.
//
// Differs from its base in:
// 1. A_i = scale * sign(s_i - mean of the group): only the side of the mean counts.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "sign_advantage"; key method.scale.
harness::MethodEntry sign_advantage_entry();

}  // namespace baselines
