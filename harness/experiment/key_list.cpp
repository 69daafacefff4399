#include "harness/experiment/key_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/experiment/file_keys.h"
#include "harness/experiment/jobs/settings.h"
#include "harness/report/table/table_keys.h"

namespace harness {

namespace {

// What is found by making a method over its own base.
struct Made {
  std::string seams = "-";    // that it fills; of an entry whose overrides are the whole method none
  std::vector<KeySpec> keys;  // that it reads
};

Made made_of(const MethodEntry& entry, const MethodCatalog& catalog) {
  if (!entry.make) return {};
  Config user;
  user.set("method.name", entry.name, "methods");
  const Config config = catalog.with_base(user);
  ConfigReader reader(config);
  MethodKeys keys(reader, entry.name);
  Made made{seams_of(*entry.make(keys)), {}};
  for (const KeySpec& key : reader.keys()) {
    if (key.name.starts_with("method.")) made.keys.push_back(key);
  }
  return made;
}

// A bar would end the cell of a Markdown table.
std::string cell_text(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

std::string key_line(const KeySpec& key) {
  const std::string range = key.range.empty() || key.range == "any" ? "" : " " + key.range;
  return fmt::format("{} = {}  ({}{}) {}\n", key.name, key.type == "text" ? to_toml(key.fallback) : key.fallback, key.type,
                     range, key.meaning);
}

}  // namespace

std::string methods_text(const MethodCatalog& catalog) {
  std::string out;
  for (const MethodEntry& entry : catalog.entries()) {
    const Made made = made_of(entry, catalog);
    out +=
        fmt::format("{:<20} {} ({}); hook {}; stands on {}\n", entry.name, entry.title, entry.source, made.seams, entry.base);
    for (const std::string& assignment : entry.overrides) out += fmt::format("    sets {}\n", assignment);
    for (const KeySpec& key : made.keys) {
      out += fmt::format("    {} = {}  {} {}: {}\n", key.name, key.fallback, key.type, key.range, key.meaning);
    }
  }
  return out;
}

std::string methods_markdown(const MethodCatalog& catalog) {
  std::string out =
      "# Methods\n\nWritten by `medsbench methods --format md`. Every method runs on both bases (`base = \"grpo\"` or "
      "`\"dapo\"`); the column names the one its source stands on. Hooks of its code: S sampling, R rewards (memory: of "
      "earlier steps), G group advantage, A advantages reshaped after G, T token advantage, Q token selection, L loss form, E "
      "extra term; - where it is keys "
      "alone or changes nothing.\n\n"
      "| name | method | source | hook | base | sets | keys: default (range) meaning |\n|---|---|---|---|---|---|---|\n";
  for (const MethodEntry& entry : catalog.entries()) {
    std::vector<std::string> sets, keys;
    for (const std::string& assignment : entry.overrides) sets.push_back("`" + assignment + "`");
    const Made made = made_of(entry, catalog);
    for (const KeySpec& key : made.keys) {
      keys.push_back(cell_text(
          fmt::format("`{}`: {} ({}) {}", key.name, key.fallback, key.range.empty() ? key.type : key.range, key.meaning)));
    }
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", entry.name, entry.title, entry.source, made.seams,
                       entry.base, fmt::join(sets, "<br>"), fmt::join(keys, "<br>"));
  }
  return out;
}

std::vector<KeySection> all_keys(const Program& program) {
  std::vector<KeySection> sections;
  Config nothing;
  nothing.set("name", Config::Value(std::string("NAME")), "keys");
  nothing.set("path", Config::Value(std::string()), "keys");
  nothing.set("pretrain", Config::Value(std::string("FILE")), "keys");
  nothing.set("model.folder", Config::Value(std::string()), "keys");
  ConfigReader file(nothing), row(nothing), model(nothing), pretraining(nothing);
  read_file_head(file, "NAME");
  read_row_head(row, {1}, {});
  read_model_keys(model, "models.NAME");
  sections.push_back({"an experiment file", file.keys()});
  sections.push_back({"[[rows]], beside those of a training and evaluation", row.keys()});
  sections.push_back({"[models.NAME]", model.keys()});
  Config any_condition;
  for (const char* key : {"row", "against"}) any_condition.set(key, Config::Value(std::string("NAME")), "keys");
  any_condition.set("is", Config::Value(condition_name(Condition::Is::equal_bytes)), "keys");
  ConfigReader condition(any_condition);
  read_condition(condition);
  sections.push_back({"[[conditions]]", condition.keys()});
  const Config based = program.methods.with_base(nothing);
  ConfigReader training(based);
  read_train_job(training, program);
  read_eval_job(training, program);
  sections.push_back({"a training and its evaluation", training.keys()});
  read_pretrain_job(pretraining, program);
  sections.push_back({"the file of a base model's supervised training", pretraining.keys()});
  for (const MethodEntry& entry : program.methods.entries()) {
    const std::vector<KeySpec> keys = made_of(entry, program.methods).keys;
    if (!keys.empty()) sections.push_back({fmt::format("method.name = \"{}\"", entry.name), keys});
  }
  return sections;
}

std::string keys_text(const std::vector<KeySection>& sections, const std::string& prefix) {
  std::string out;
  for (const KeySection& section : sections) {
    std::string lines;
    for (const KeySpec& key : section.keys) {
      if (key.name.starts_with(prefix)) lines += key_line(key);
    }
    if (!lines.empty()) out += fmt::format("{}# {}\n{}", out.empty() ? "" : "\n", section.title, lines);
  }
  return out;
}

std::string key_text(const std::vector<KeySection>& sections, const std::string& name) {
  std::string out;
  for (const KeySection& section : sections) {
    for (const KeySpec& key : section.keys) {
      if (key.name == name || key.name.ends_with("." + name)) out += fmt::format("# {}\n{}", section.title, key_line(key));
    }
  }
  return out;
}

}  // namespace harness
