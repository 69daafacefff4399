// Spurious rewards: controls that must not help, because their rewards say nothing of right and wrong (Shao et al., arXiv
// 2506.10947, where they did help some models).
//
// Each differs from its base in:
// 1. random_reward: every response is right with the share of right ones in its group, whichever it is: a draw of its own
//    (keyed by the response, so that two methods of one seed see the same).
// 2. format_reward: every response with an answer is right, whatever the answer: of a grader that reads boxes, one with a box.
// Both leave the overlong penalty as it is, and the group filter, which looks at right and wrong: with it the groups are chosen
// by the truth, without it (filter.enabled = false) by nothing. They refuse methods that look at right and wrong themselves,
// which would let the truth in by the back door. The paper draws with probability 0.5; here the rate is the group's own, so
// that the size of the advantages is that of the base.
#pragma once

#include <vector>

#include "harness/train/method/method.h"

namespace baselines {

// Names "random_reward" and "format_reward"; no keys.
std::vector<harness::MethodEntry> spurious_reward_entries();

}  // namespace baselines
