// Adaptive entropy bonus: a coefficient that a controller moves towards a target entropy (Skywork-OR1, arXiv 2505.22312).
//
// Differs from `entropy_bonus` in:
// 1. After each update beta moves by delta: up if the update's mean token entropy is below target, down if it is above; it
//    stays in [0, beta_max] and begins at 0.
// 2. The bonus acts only where the mini-batch's mean entropy under the sampling policy is not above target.
// 3. beta is state: it is kept in the checkpoint and reported as "entropy_coefficient".
// Defaults: target 0.2, delta 1e-4, beta_max 5e-3. Set the target on the scale of the model (a nano policy has 0.03 to 0.1).
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "adaptive_entropy"; keys method.target, delta, beta_max. State: adaptive_entropy.json.
harness::MethodEntry adaptive_entropy_entry();

}  // namespace baselines
