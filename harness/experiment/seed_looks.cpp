#include "harness/experiment/seed_looks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

namespace {

std::string looks_path(const std::string& runs) { return runs + "/looks.json"; }

void write_looks(const std::string& runs, const SeedLooks& looks) {
  OrderedJson json{
      {"version", 1}, {"rule", to_json(looks.rule)}, {"primary", looks.primary}, {"comparisons", looks.comparisons}};
  if (!looks.conditions.empty()) json["conditions"] = looks.conditions;
  json["amended"] = looks.amended;
  json["looks"] = looks.looks;
  json["seeds"] = OrderedJson::object();
  for (const auto& [row, seeds] : looks.seeds) json["seeds"][row] = seeds;
  write_file_atomically(looks_path(runs), json.dump(1) + "\n");
}

// "rule: A, was B"; "" where nothing changed.
std::string what_changed(const SeedLooks& before, const SeedLooks& now) {
  std::vector<std::string> parts;
  const auto differ = [&](const std::string& name, const std::string& was, const std::string& is) {
    if (was != is) parts.push_back(fmt::format("{}: {} instead of {}", name, is, was));
  };
  differ("rule", to_json(before.rule).dump(), to_json(now.rule).dump());
  differ("table.primary", fmt::format("{}", fmt::join(before.primary, ", ")), fmt::format("{}", fmt::join(now.primary, ", ")));
  differ("comparisons", fmt::format("{}", fmt::join(before.comparisons, ", ")),
         fmt::format("{}", fmt::join(now.comparisons, ", ")));
  differ("conditions", fmt::format("{}", fmt::join(before.conditions, ", ")),
         fmt::format("{}", fmt::join(now.conditions, ", ")));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

std::optional<SeedLooks> read_looks(const std::string& runs) {
  const std::string path = looks_path(runs);
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::string text = read_file(path);
  return with_context(path, [&] {
    const Json json = parse_json(text);
    SeedLooks looks;
    if (!json.is_object() || !json.contains("rule")) throw Error("expected \"rule\", found none");
    looks.rule = seed_rule_from_json(json["rule"]);
    for (const auto& [key, list] : {std::pair("primary", &looks.primary), std::pair("comparisons", &looks.comparisons),
                                    std::pair("amended", &looks.amended)}) {
      if (!json.contains(key) || !json[key].is_array()) throw Error("expected the list \"{}\", found none", key);
      for (const Json& text_of : json[key]) list->push_back(text_of.get<std::string>());
    }
    if (json.contains("conditions")) looks.conditions = json["conditions"].get<std::vector<std::string>>();
    looks.looks = integer_field(json, "looks");
    if (!json.contains("seeds") || !json["seeds"].is_object()) throw Error("expected \"seeds\" by row, found none");
    for (auto row = json["seeds"].begin(); row != json["seeds"].end(); ++row)
      looks.seeds[row.key()] = row.value().get<int64_t>();
    return looks;
  });
}

SeedLooks fixed_beforehand(const Experiment& experiment) {
  SeedLooks looks;
  looks.rule = experiment.rule;
  looks.primary = experiment.primary;
  for (const Condition& condition : experiment.conditions) looks.conditions.push_back(to_json(condition).dump());
  for (const std::string& row : experiment.guarded) looks.conditions.push_back("guarded: " + row);
  for (const PlannedRow& row : experiment.rows) {
    if (!row.compare_to.empty()) {
      looks.comparisons.push_back(fmt::format("{}: {} - {}", row.base_model, row.name, row.compare_to));
    }
    if (!row.untrained) looks.seeds[row.base_model + "/" + row.name] = std::ssize(row.seeds);
  }
  return looks;
}

void check_looks(const Experiment& experiment, bool amend) {
  std::optional<SeedLooks> before = read_looks(experiment.runs);
  if (!before || before->looks == 0) return;
  const SeedLooks now = fixed_beforehand(experiment);
  const std::string changed = what_changed(*before, now);
  if (changed.empty()) return;
  if (!amend) {
    throw Error(
        "{}: expected what was fixed before the first of {} looks ({}), found {}: --amend writes the change down, and the "
        "table "
        "then says so",
        experiment.file, before->looks, looks_path(experiment.runs), changed);
  }
  before->amended.push_back(fmt::format("after look {}: {}", before->looks, changed));
  before->rule = now.rule;
  before->primary = now.primary;
  before->comparisons = now.comparisons;
  before->conditions = now.conditions;
  write_looks(experiment.runs, *before);
}

bool take_look(const Experiment& experiment, const ExperimentResults& results, const Family& family) {
  SeedLooks looks = fixed_beforehand(experiment);
  if (const auto before = read_looks(experiment.runs)) looks.amended = before->amended;
  looks.looks = std::ssize(family.verdicts.looks);
  bool more = false;
  for (size_t i = 0; i < family.members.size(); ++i) {
    const RowRecord& row = results.rows[family.members[i].row].record;
    for (const std::string& name : {row.name, row.compare_to}) {
      const auto place = looks.seeds.find(row.base_model + "/" + name);
      if (place == looks.seeds.end() || place->second >= family.verdicts.next_seeds[i]) continue;
      place->second = family.verdicts.next_seeds[i];
      more = true;
    }
  }
  write_looks(experiment.runs, looks);
  return more;
}

}  // namespace harness
