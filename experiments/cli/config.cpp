// config, diff: the effective configuration of a row, and what two rows differ in. keys, explain, methods: what can be set.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "experiments/cli/every_method.h"
#include "experiments/cli/experiment_options.h"
#include "experiments/cli/findings.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/key_words.h"
#include "harness/experiment/key_list.h"

namespace experiments {

namespace {

using Entries = harness::Config::Entries;

struct ConfigOptions {
  std::string file, row, other, other_row;
  harness::ExperimentOptions experiment;
};

Entries row_of(const std::string& file, const std::string& row, const ConfigOptions& options) {
  return harness::effective_row(file, row, options.experiment, this_program());
}

void print_differences(const Entries& a, const Entries& b) {
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
  const harness::Experiment experiment = harness::read_experiment(options.file, options.experiment, this_program());
  for (const harness::PlannedRow& row : experiment.rows) {
    for (const harness::PlannedRow& other : experiment.rows) {
      if (row.compare_to != other.name || row.base_model != other.base_model) continue;
      fmt::print("# {} | {} ({})\n", row.name, other.name, row.base_model);
      print_differences(row.effective, other.effective);
    }
  }
  return 0;
}

int diff(const ConfigOptions& options) {
  if (options.other.empty() && options.other_row.empty()) return diff_rows(options);
  const std::string& other = options.other.empty() ? options.file : options.other;
  print_differences(row_of(options.file, options.row, options), row_of(other, options.other_row, options));
  return 0;
}

std::vector<std::string> names_of(const std::vector<harness::KeySection>& sections) {
  std::vector<std::string> names;
  for (const harness::KeySection& section : sections) {
    for (const harness::KeySpec& key : section.keys) names.push_back(key.name);
  }
  return names;
}

}  // namespace

void add_config(Verb app) {
  const auto options = std::make_shared<ConfigOptions>();
  Verb verb = app.verb("config", "the effective config of a row: every key, its value and where it comes from");
  verb.option("file", options->file, "experiment or row TOML").required();
  verb.option("--row", options->row, "name of the row (default: the first)");
  add_layer_options(verb, options->experiment);
  verb.does([options] {
    fmt::print("{}", harness::to_toml(row_of(options->file, options->row, *options), true));
    if (harness::is_experiment(options->file)) {
      show(harness::check_experiment(harness::read_experiment(options->file, options->experiment, this_program()),
                                     this_program()));
    }
    return 0;
  });
}

void add_diff(Verb app) {
  const auto options = std::make_shared<ConfigOptions>();
  Verb verb = app.verb("diff", "what two rows differ in, by effective config key");
  verb.option("a", options->file, "TOML").required();
  verb.option("b", options->other,
              "TOML (default: the same; without --other-row every row against the one it is compared with)");
  verb.option("--row", options->row, "row of the first file (default: its first)");
  verb.option("--other-row", options->other_row, "row of the second file (default: its first)");
  add_layer_options(verb, options->experiment);
  verb.does([options] { return diff(*options); });
}

void add_methods(Verb app) {
  const auto format = std::make_shared<std::string>("text");
  Verb verb = app.verb("methods", "every method with source, base, keys, defaults, ranges");
  verb.option("--format", *format, "text or md").one_of({"text", "md"});
  verb.does([format] {
    fmt::print("{}", *format == "md" ? harness::methods_markdown(every_method()) : harness::methods_text(every_method()));
    return 0;
  });
}

void add_keys(Verb app) {
  const auto prefix = std::make_shared<std::string>();
  Verb keys = app.verb("keys", "every key of a TOML file: default, type and range, meaning");
  keys.option("prefix", *prefix, "only keys that begin so, such as train. or data.nano");
  keys.does([prefix] {
    const auto sections = harness::all_keys(this_program());
    const std::string text = harness::keys_text(sections, *prefix);
    if (text.empty()) {
      throw harness::Error("keys: expected the beginning of a key, found {}{}", *prefix,
                           harness::nearest_key_text(*prefix, names_of(sections)));
    }
    fmt::print("{}", text);
    return 0;
  });
  const auto name = std::make_shared<std::string>();
  Verb explain = app.verb("explain", "one key, wherever it stands");
  explain.option("key", *name, "such as train.steps or method.alpha").required();
  explain.does([name] {
    const auto sections = harness::all_keys(this_program());
    const std::string text = harness::key_text(sections, *name);
    if (text.empty()) {
      throw harness::Error("explain: expected a key, found {}{}", *name, harness::nearest_key_text(*name, names_of(sections)));
    }
    fmt::print("{}", text);
    return 0;
  });
}

}  // namespace experiments
