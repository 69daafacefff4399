// The list of the methods of this folder, and how a config becomes a stack of them.
#pragma once

#include <string>
#include <vector>

#include "harness/core/config.h"
#include "harness/train/method/method.h"

namespace baselines {

// In the order of the published list: bases first, then rivals, then controls.
std::vector<harness::MethodEntry> all_methods();

// The entries that `method.name` (a name or a list of names) asks for. "grpo", "dapo" and "none" stand for no filling. Throws
// Error for an unknown name, with the nearest one.
std::vector<harness::MethodEntry> chosen_entries(harness::Config& config, const std::vector<harness::MethodEntry>& entries);

// The layers of one row: base (the key `base`, or what the first method stands on) < overrides of its methods < the user's
// config. Throws Error if two methods override one key differently.
harness::Config with_base(const harness::Config& user, const std::vector<harness::MethodEntry>& entries);

// Makes the methods that `method.name` asks for, in its order, from `method.*`. Refuses impossible combinations with a reason:
// two owners of a seam, one method twice, rewards shaped for an advantage that looks at right and wrong alone.
harness::MethodStack make_stack(harness::Config& config, const std::vector<harness::MethodEntry>& entries);

}  // namespace baselines
