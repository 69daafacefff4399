// The two named bases, GRPO and DAPO: every key in which they differ, as TOML (docs/method.md, "The two bases").
//
// Only what belongs to the learning rule stands here. Optimiser, schedule, prompts and responses a step are the recipe of the
// run and the same for both bases, so that a row of a table never mixes a method with a recipe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "harness/core/config.h"
#include "harness/train/method/method.h"

namespace baselines {

// GRPO (arXiv 2402.03300): symmetric clip range, k3 KL to the reference policy, mean of each response's token mean, all groups.
inline constexpr std::string_view kGrpoBase = R"(
[loss]
clip_low = 0.2
clip_high = 0.2
dual_clip = 3.0
kl_coef = 0.001
aggregation = "seq_mean_token_mean"
[filter]
enabled = false
max_gen_batches = 10
on_starved = "stop"
[overlong]
buffer = 0
factor = 1.0
)";

// DAPO (arXiv 2503.14476): wider upper clip, no KL, token mean, groups of one colour refilled, soft overlong penalty.
inline constexpr std::string_view kDapoBase = R"(
[loss]
clip_low = 0.2
clip_high = 0.28
dual_clip = 10.0
kl_coef = 0.0
aggregation = "token_mean"
[filter]
enabled = true
max_gen_batches = 10
on_starved = "stop"
[overlong]
buffer = 512
factor = 1.0
)";

// Both by name, entries of origin "base NAME".
std::map<std::string, harness::Config> bases();

// The bases as methods: nothing but their base.
// Names "grpo" and "dapo"; refused on the other base (with_base).
harness::MethodEntry grpo_entry();
harness::MethodEntry dapo_entry();

}  // namespace baselines
