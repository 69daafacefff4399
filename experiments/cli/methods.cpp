#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <memory>

#include "baselines/all_methods.h"
#include "experiments/cli/every_method.h"
#include "experiments/cli/verbs.h"

namespace experiments {

namespace {

// The keys that a method reads, found by making it from an empty config over its base.
std::vector<harness::MethodKeys::Key> keys_of(const harness::MethodEntry& entry,
                                              const std::vector<harness::MethodEntry>& entries) {
  if (!entry.make) return {};
  harness::Config user;
  user.set("method.name", entry.name, "methods");
  harness::Config config = baselines::with_base(user, entries);
  harness::MethodKeys keys(config, entry.name);
  (void)entry.make(keys);
  return keys.keys();
}

void print_text(const std::vector<harness::MethodEntry>& entries) {
  for (const harness::MethodEntry& entry : entries) {
    fmt::print("{:<20} {} ({}); hook {}; stands on {}\n", entry.name, entry.title, entry.source, entry.hook, entry.base);
    for (const std::string& assignment : entry.overrides) fmt::print("    sets {}\n", assignment);
    for (const auto& key : keys_of(entry, entries)) {
      fmt::print("    method.{} = {}  {} {}: {}\n", key.name, key.fallback, key.type, key.range, key.meaning);
    }
  }
}

void print_markdown(const std::vector<harness::MethodEntry>& entries) {
  fmt::print("# Methods\n\nWritten by `medsbench methods --format md`. Every method runs on both bases (`base = \"grpo\"` or "
             "`\"dapo\"`); the column names the one its source stands on.\n\n"
             "| name | method | source | hook | base | sets | keys: default (range) meaning |\n|---|---|---|---|---|---|---|\n");
  for (const harness::MethodEntry& entry : entries) {
    std::vector<std::string> sets, keys;
    for (const std::string& assignment : entry.overrides) sets.push_back("`" + assignment + "`");
    for (const auto& key : keys_of(entry, entries)) {
      std::string range = key.range;
      for (size_t at = 0; (at = range.find('|', at)) != std::string::npos; at += 2) range.replace(at, 1, "\\|");
      keys.push_back(fmt::format("`method.{}`: {} ({}) {}", key.name, key.fallback, range, key.meaning));
    }
    fmt::print("| `{}` | {} | {} | {} | {} | {} | {} |\n", entry.name, entry.title, entry.source, entry.hook, entry.base,
               fmt::join(sets, "<br>"), fmt::join(keys, "<br>"));
  }
}

}  // namespace

void add_methods(CLI::App& app, Chosen& chosen) {
  CLI::App* verb = app.add_subcommand("methods", "every method with source, base, keys, defaults, ranges");
  auto format = std::make_shared<std::string>("text");
  verb->add_option("--format", *format, "text or md")->check(CLI::IsMember({"text", "md"}));
  verb->callback([format, &chosen] {
    chosen = [format] {
      const std::vector<harness::MethodEntry> entries = every_method();
      *format == "md" ? print_markdown(entries) : print_text(entries);
      return 0;
    };
  });
}

}  // namespace experiments
