// config, diff: the effective configuration of a row, and what two rows differ in.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "experiments/cli/experiment.h"
#include "experiments/cli/verbs.h"

namespace experiments {

namespace {

struct ConfigOptions {
  std::string file, row, other, other_row;
  std::vector<std::string> sets;
};

int config_verb(const ConfigOptions& options) {
  fmt::print("{}", effective_row(options.file, options.row, options.sets).effective_toml(true));
  return 0;
}

int diff_verb(const ConfigOptions& options) {
  const auto a = effective_row(options.file, options.row, options.sets).effective();
  const auto b = effective_row(options.other, options.other_row, options.sets).effective();
  for (const auto& [key, entry] : a) {
    const auto found = b.find(key);
    if (found == b.end()) {
      fmt::print("{}: {} | (not read)\n", key, harness::to_toml(entry.value));
    } else if (harness::to_toml(entry.value) != harness::to_toml(found->second.value)) {
      fmt::print("{}: {} | {}\n", key, harness::to_toml(entry.value), harness::to_toml(found->second.value));
    }
  }
  for (const auto& [key, entry] : b) {
    if (!a.contains(key)) fmt::print("{}: (not read) | {}\n", key, harness::to_toml(entry.value));
  }
  return 0;
}

}  // namespace

void add_config(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App* verb = app.add_subcommand("config", "the effective config of a row: every key, its value and where it comes from");
  verb->add_option("file", options->file, "experiment or row TOML")->required();
  verb->add_option("--row", options->row, "name of the row (default: the first)");
  verb->add_option("--set", options->sets, "KEY=VALUE, over the file");
  verb->callback([&chosen, options] { chosen = [options] { return config_verb(*options); }; });
}

void add_diff(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App* verb = app.add_subcommand("diff", "what two rows differ in, by effective config key");
  verb->add_option("a", options->file, "TOML")->required();
  verb->add_option("b", options->other, "TOML")->required();
  verb->add_option("--row", options->row, "row of the first file (default: its first)");
  verb->add_option("--other-row", options->other_row, "row of the second file (default: its first)");
  verb->callback([&chosen, options] { chosen = [options] { return diff_verb(*options); }; });
}

}  // namespace experiments
