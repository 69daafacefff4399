#include "baselines/bases.h"

#include <fmt/format.h>

#include <utility>

namespace baselines {

std::map<std::string, harness::Config> bases() {
  std::map<std::string, harness::Config> all;
  for (const auto& [name, text] : {std::pair{"grpo", kGrpoBase}, std::pair{"dapo", kDapoBase}}) {
    const std::string origin = fmt::format("base {}", name);
    const harness::Config parsed = harness::Config::from_toml_text(text, origin);
    for (const auto& [key, entry] : parsed.entries()) all[name].set(key, entry.value, origin);
  }
  return all;
}

harness::MethodEntry grpo_entry() { return {.name = "grpo", .title = "GRPO", .source = "arXiv 2402.03300", .base = "grpo"}; }

harness::MethodEntry dapo_entry() { return {.name = "dapo", .title = "DAPO", .source = "arXiv 2503.14476", .base = "dapo"}; }

}  // namespace baselines
