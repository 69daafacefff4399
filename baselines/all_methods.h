// The list of the methods of this folder.
#pragma once

#include <vector>

#include "harness/train/method/method.h"

namespace baselines {

// In the order of the published list: bases first, then rivals, then controls.
std::vector<harness::MethodEntry> all_methods();

}  // namespace baselines
