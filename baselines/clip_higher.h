// Clip-higher: room above for tokens that were unlikely (one piece of DAPO, arXiv 2503.14476, sec. 3.1).
//
// Differs from GRPO in:
// 1. The upper clip bound is 0.28 instead of 0.2. (On the DAPO base it is nothing new.)
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "clip_higher"; no keys of its own.
harness::MethodEntry clip_higher_entry();

}  // namespace baselines
