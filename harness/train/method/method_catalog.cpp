#include "harness/train/method/method_catalog.h"

#include <algorithm>

#include "harness/core/error.h"
#include "harness/core/nearest_name.h"

namespace harness {

std::vector<std::string> MethodCatalog::base_names() const {
  std::vector<std::string> names;
  for (const auto& [name, base] : bases_) names.push_back(name);
  return names;
}

std::vector<MethodEntry> MethodCatalog::chosen(ConfigReader& keys) const {
  std::vector<std::string> known = {"none"};
  for (const MethodEntry& entry : entries_) known.push_back(entry.name);
  std::vector<MethodEntry> chosen;
  for (const std::string& name : keys.texts("method.name", {"none"}, "one method or a list of methods that are combined")) {
    if (name == "none") continue;
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const MethodEntry& entry) { return entry.name == name; });
    if (found == entries_.end()) {
      throw Error("{}: method.name: expected a method (`medsbench methods` lists them), found \"{}\"{}",
                  keys.config().find("method.name")->origin, name, nearest_text(name, known));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

Config MethodCatalog::with_base(const Config& user) const {
  ConfigReader keys(user);
  const std::vector<MethodEntry> methods = chosen(keys);
  const std::string base = keys.text("base", methods.empty() ? "dapo" : methods.front().base, base_names(), "");
  for (const MethodEntry& entry : methods) {
    if (bases_.contains(entry.name) && entry.name != base) {
      throw Error("base: expected \"{}\", which is the method, found \"{}\"", entry.name, base);
    }
  }
  Config layers = user;  // keeps the name and the lists of tables
  layers.overlay(bases_.at(base));
  std::map<std::string, std::string> origin;
  for (const MethodEntry& entry : methods) {
    Config overrides;
    for (const std::string& assignment : entry.overrides) overrides.set(assignment, "method " + entry.name);
    for (const auto& [key, value] : overrides.entries()) {
      if (origin.contains(key) && layers.find(key)->value != value.value && !user.has(key)) {
        throw Error("method.name: expected methods that agree on {}, found {} and {} setting it differently", key, origin[key],
                    entry.name);
      }
      origin[key] = entry.name;
    }
    layers.overlay(overrides);
  }
  layers.overlay(user);
  if (!user.has("base")) layers.set("base", Config::Value(base), "default");
  return layers;
}

MethodStack MethodCatalog::make_stack(ConfigReader& keys) const {
  keys.text("base", "dapo", base_names(), "named settings that the method stands on");
  std::vector<std::unique_ptr<Method>> methods;
  for (const MethodEntry& entry : chosen(keys)) {
    if (!entry.make) continue;
    MethodKeys of_method(keys, entry.name);
    methods.push_back(entry.make(of_method));
  }
  return MethodStack(std::move(methods));
}

}  // namespace harness
