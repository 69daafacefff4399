#include <algorithm>
#include <map>

#include "baselines/all_methods.h"
#include "baselines/bases.h"
#include "harness/core/error.h"

namespace baselines {

std::vector<harness::MethodEntry> chosen_entries(harness::Config& config, const std::vector<harness::MethodEntry>& entries) {
  std::vector<std::string> known = {"none"};
  for (const harness::MethodEntry& entry : entries) known.push_back(entry.name);
  std::vector<harness::MethodEntry> chosen;
  for (const std::string& name : config.texts("method.name", {"none"})) {
    if (name == "none") continue;
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const harness::MethodEntry& entry) { return entry.name == name; });
    if (found == entries.end()) {
      throw harness::Error("{}: method.name: expected a method, found \"{}\"; the nearest is {}", config.name(), name,
                           harness::nearest_name(name, known));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

harness::Config with_base(const harness::Config& user, const std::vector<harness::MethodEntry>& entries) {
  harness::Config reader = user;
  const std::vector<harness::MethodEntry> chosen = chosen_entries(reader, entries);
  const std::string base = reader.text("base", chosen.empty() ? "dapo" : chosen.front().base, {"grpo", "dapo"});

  for (const harness::MethodEntry& entry : chosen) {
    if ((entry.name == "grpo" || entry.name == "dapo") && entry.name != base) {
      throw harness::Error("base: expected \"{}\", which is the method, found \"{}\"", entry.name, base);
    }
  }

  harness::Config layers = user;  // keeps the name and the lists of tables
  layers.overlay(base_config(base));
  std::map<std::string, std::string> origin;
  for (const harness::MethodEntry& entry : chosen) {
    harness::Config overrides;
    for (const std::string& assignment : entry.overrides) overrides.set(assignment, "method " + entry.name);
    for (const auto& [key, value] : overrides.entries()) {
      if (origin.contains(key) && layers.entries().at(key).value != value.value && !user.has(key)) {
        throw harness::Error("method.name: expected methods that agree on {}, found {} and {} setting it differently", key,
                             origin[key], entry.name);
      }
      origin[key] = entry.name;
    }
    layers.overlay(overrides);
  }
  layers.overlay(user);
  if (!user.has("base")) layers.set("base", harness::Config::Value(base), "default");
  return layers;
}

harness::MethodStack make_stack(harness::Config& config, const std::vector<harness::MethodEntry>& entries) {
  std::vector<std::unique_ptr<harness::Method>> methods;
  for (const harness::MethodEntry& entry : chosen_entries(config, entries)) {
    if (!entry.make) continue;
    harness::MethodKeys keys(config, entry.name);
    methods.push_back(entry.make(keys));
  }
  return harness::MethodStack(std::move(methods));
}

}  // namespace baselines
