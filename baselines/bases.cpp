#include "baselines/bases.h"

#include "harness/core/error.h"

namespace baselines {

harness::Config base_config(const std::string& name) {
  if (name != "grpo" && name != "dapo") throw harness::Error("base: expected \"grpo\" or \"dapo\", found \"{}\"", name);
  const harness::Config parsed = harness::Config::from_toml_text(name == "grpo" ? kGrpoBase : kDapoBase, "base " + name);
  harness::Config base;
  for (const auto& [key, entry] : parsed.entries()) base.set(key, entry.value, "base " + name);
  return base;
}

harness::MethodEntry grpo_entry() { return {.name = "grpo", .title = "GRPO", .source = "arXiv 2402.03300", .base = "grpo"}; }

harness::MethodEntry dapo_entry() { return {.name = "dapo", .title = "DAPO", .source = "arXiv 2503.14476", .base = "dapo"}; }

}  // namespace baselines
