#include "harness/experiment/row_pairs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "harness/core/error.h"
#include "harness/core/nearest_name.h"
#include "harness/report/table/table_keys.h"

namespace harness {

namespace {

void need_row(const Experiment& experiment, const std::string& place, const std::string& name) {
  std::vector<std::string> known;
  for (const PlannedRow& row : experiment.rows) {
    if (row.name == name) return;
    if (std::find(known.begin(), known.end(), row.name) == known.end()) known.push_back(row.name);
  }
  throw Error("{}: expected the name of a row ({}), found {}{}", place, fmt::join(known, ", "), name,
              nearest_text(name, known));
}

void read_condition_of(const Config& given, Experiment& experiment) {
  ConfigReader keys(given);
  Condition condition = read_condition(keys);
  const Config::Entries head = keys.effective();
  const auto place = [&](const std::string& key) { return head.at(key).origin + ": conditions: " + key; };
  need_row(experiment, place("row"), condition.row);
  need_row(experiment, place("against"), condition.against);
  bool applies = false;
  for (const PlannedRow& row : experiment.rows) {
    if (row.name != condition.row) continue;
    const PlannedRow* against = find_row(experiment, condition.against, row.base_model);
    if (against == &row) throw Error("{}: expected another row, found the row itself", place("against"));
    if (row.untrained) throw Error("{}: expected a trained row, found {}: name it in against", place("row"), row.name);
    applies = applies || against != nullptr;
    if (against == nullptr || (against->untrained && condition.is != Condition::Is::equal_bytes)) continue;
    const bool shared = std::any_of(row.seeds.begin(), row.seeds.end(), [&](int64_t seed) {
      return std::find(against->seeds.begin(), against->seeds.end(), seed) != against->seeds.end();
    });
    if (!shared) throw Error("{}: expected a row that shares training seeds, found {}", place("against"), against->name);
  }
  if (!applies) {
    throw Error("{}: expected a row on a base model of {}, found {} on others", place("against"), condition.row,
                condition.against);
  }
  if (condition.is == Condition::Is::equivalent && !(experiment.rule.margin > 0)) {
    throw Error("{}: expected table.margin beside \"equivalent\", found none", place("is"));
  }
  for (const Condition& other : experiment.conditions) {
    if (other.name != condition.name) continue;
    throw Error("{}: conditions: expected names of their own, found {} twice", head.at("row").origin, condition.name);
  }
  experiment.conditions.push_back(std::move(condition));
  experiment.condition_heads.push_back(head);
}

void check_guarded(const Experiment& experiment) {
  if (experiment.guarded.empty()) return;
  const std::string place = experiment.head.at("table.guarded").origin + ": table.guarded";
  for (const std::string& name : experiment.guarded) need_row(experiment, place, name);
  if (experiment.conditions.empty()) throw Error("{}: expected [[conditions]] beside it, found none", place);
}

}  // namespace

std::vector<std::string> row_names(const Experiment& experiment, const std::string& base_model) {
  std::vector<std::string> names;
  for (const PlannedRow& row : experiment.rows) {
    if (row.base_model == base_model) names.push_back(row.name);
  }
  return names;
}

const PlannedRow* find_row(const Experiment& experiment, const std::string& name, const std::string& base_model) {
  for (const PlannedRow& row : experiment.rows) {
    if (row.name == name && row.base_model == base_model) return &row;
  }
  return nullptr;
}

void check_comparisons(const Experiment& experiment) {
  std::set<std::string> names;
  for (const PlannedRow& row : experiment.rows) {
    if (!names.insert(row.base_model + "/" + row.name).second) {
      throw Error("{}: name: expected rows with names of their own, found {} twice", row.head.at("name").origin, row.name);
    }
  }
  for (const PlannedRow& row : experiment.rows) {
    if (row.compare_to.empty() || names.contains(row.base_model + "/" + row.compare_to)) continue;
    const std::vector<std::string> known = row_names(experiment, row.base_model);
    throw Error("{}: row {}: compare_to: expected the name of a row on {} ({}), found {}{}", row.head.at("compare_to").origin,
                row.name, row.base_model, fmt::join(known, ", "), row.compare_to, nearest_text(row.compare_to, known));
  }
}

void read_conditions(const std::vector<Config>& conditions, Experiment& experiment) {
  for (const Config& condition : conditions) read_condition_of(condition, experiment);
  check_guarded(experiment);
}

}  // namespace harness
