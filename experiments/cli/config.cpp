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

// What lies over the file.
void add_layer_options(CLI::App* verb, ExperimentOptions& options) {
  verb->add_option("--data", options.data_dir, "folder with the published data sets");
  verb->add_option("--scale", options.scale, "multiplies steps, prompts and samples")->check(CLI::PositiveNumber);
  verb->add_option("--set", options.sets, "KEY=VALUE, over the file");
}

struct ConfigOptions {
  std::string file, row, other, other_row;
  ExperimentOptions plan;
};

int config_verb(const ConfigOptions& options) {
  fmt::print("{}", effective_row(options.file, options.row, options.plan).effective_toml(true));
  return 0;
}

void print_differences(const harness::Config& left, const harness::Config& right) {
  const auto a = left.effective();
  const auto b = right.effective();
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
}

// Every row of one experiment against the row that it is compared with.
int diff_rows(const ConfigOptions& options) {
  const Experiment experiment = read_experiment_file(options.file, options.plan);
  for (const PlannedRow& row : experiment.rows) {
    for (const PlannedRow& other : experiment.rows) {
      if (row.compare_to != other.name || row.base_model != other.base_model) continue;
      fmt::print("# {} | {} ({})\n", row.name, other.name, row.base_model);
      print_differences(row.config, other.config);
    }
  }
  return 0;
}

int diff_verb(const ConfigOptions& options) {
  if (options.other.empty() && options.other_row.empty()) return diff_rows(options);
  const std::string& other = options.other.empty() ? options.file : options.other;
  print_differences(effective_row(options.file, options.row, options.plan),
                    effective_row(other, options.other_row, options.plan));
  return 0;
}

}  // namespace

void add_config(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App* verb = app.add_subcommand("config", "the effective config of a row: every key, its value and where it comes from");
  verb->add_option("file", options->file, "experiment or row TOML")->required();
  verb->add_option("--row", options->row, "name of the row (default: the first)");
  add_layer_options(verb, options->plan);
  verb->callback([&chosen, options] { chosen = [options] { return config_verb(*options); }; });
}

void add_diff(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App* verb = app.add_subcommand("diff", "what two rows differ in, by effective config key");
  verb->add_option("a", options->file, "TOML")->required();
  verb->add_option("b", options->other,
                   "TOML (default: the same; without --other-row every row against the one it is compared with)");
  verb->add_option("--row", options->row, "row of the first file (default: its first)");
  verb->add_option("--other-row", options->other_row, "row of the second file (default: its first)");
  add_layer_options(verb, options->plan);
  verb->callback([&chosen, options] { chosen = [options] { return diff_verb(*options); }; });
}

}  // namespace experiments
