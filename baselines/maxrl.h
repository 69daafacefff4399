// MaxRL: advantages on the scale of the group's success rate, so that hard problems weigh more (arXiv 2602.02710).
//
// Differs from its base in:
// 1. A_i = (r_i - m) / m with m the group's mean reward, instead of a division by the spread.
// 2. A group without spread has advantage 0, and so has one whose mean is not above 0 (a mean reward can fall below 0 only
//    where the overlong penalty or another method shapes rewards).
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "maxrl"; no keys.
harness::MethodEntry maxrl_entry();

}  // namespace baselines
