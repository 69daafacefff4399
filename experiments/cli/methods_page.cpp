#include "experiments/cli/methods_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "baselines/all_methods.h"

namespace experiments {

namespace {

// What is found by making a method over its own base: the seams that it fills and the keys that it reads.
struct Made {
  std::string hook = "-";  // of an entry whose overrides are the whole method
  std::vector<harness::MethodKeys::Key> keys;
};

Made made_of(const harness::MethodEntry& entry, const std::vector<harness::MethodEntry>& entries) {
  if (!entry.make) return {};
  harness::Config user;
  user.set("method.name", entry.name, "methods");
  harness::Config config = baselines::with_base(user, entries);
  harness::MethodKeys keys(config, entry.name);
  const std::unique_ptr<harness::Method> method = entry.make(keys);
  return {harness::seams_of(*method), keys.keys()};
}

// A bar would end the cell of a Markdown table.
std::string cell_text(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

}  // namespace

std::string methods_text(const std::vector<harness::MethodEntry>& entries) {
  std::string out;
  for (const harness::MethodEntry& entry : entries) {
    const Made made = made_of(entry, entries);
    out += fmt::format("{:<20} {} ({}); hook {}; stands on {}\n", entry.name, entry.title, entry.source, made.hook, entry.base);
    for (const std::string& assignment : entry.overrides) out += fmt::format("    sets {}\n", assignment);
    for (const auto& key : made.keys) {
      out += fmt::format("    method.{} = {}  {} {}: {}\n", key.name, key.fallback, key.type, key.range, key.meaning);
    }
  }
  return out;
}

std::string methods_markdown(const std::vector<harness::MethodEntry>& entries) {
  std::string out =
      "# Methods\n\nWritten by `medsbench methods --format md`. Every method runs on both bases (`base = \"grpo\"` or "
      "`\"dapo\"`); the column names the one its source stands on. Hooks of its code: S sampling, R rewards (memory: of "
      "earlier "
      "steps), G group advantage, T token advantage, Q token selection, L loss form, E extra term; - where it is keys alone "
      "or changes nothing.\n\n"
      "| name | method | source | hook | base | sets | keys: default (range) meaning |\n|---|---|---|---|---|---|---|\n";
  for (const harness::MethodEntry& entry : entries) {
    const Made made = made_of(entry, entries);
    std::vector<std::string> sets, keys;
    for (const std::string& assignment : entry.overrides) sets.push_back("`" + assignment + "`");
    for (const auto& key : made.keys) {
      keys.push_back(cell_text(fmt::format("`method.{}`: {} ({}) {}", key.name, key.fallback,
                                           key.range.empty() ? key.type : key.range, key.meaning)));
    }
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", entry.name, entry.title, entry.source, made.hook, entry.base,
                       fmt::join(sets, "<br>"), fmt::join(keys, "<br>"));
  }
  return out;
}

}  // namespace experiments
