// Outcome-based exploration: a bonus for final answers seldom given before (Song et al., arXiv 2509.06941, UCB-Con).
//
// Differs from its base in:
// 1. r_i <- r_i + c (min(1, N(x, a)^-1/2) - constant): N counts how often answer a was given to problem x in earlier steps; an
//    answer never seen has bonus 1. A response without an answer has bonus 0, as one seen without end.
// 2. The counts are a memory that outlives the step (normalised answers, right and wrong alike); a step's answers join it after
//    all of its rewards are shaped. They are kept in the checkpoint.
// A constant common to a group cancels where its mean is subtracted; it counts where some responses have no answer.
// c 0.2 and constant 0.5 are not verified against the paper's text.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "outcome_exploration"; keys method.c, constant. State: outcome_exploration.json.
harness::MethodEntry outcome_exploration_entry();

}  // namespace baselines
