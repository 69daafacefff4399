#include "harness/report/results/experiment_record.h"

#include <algorithm>
#include <set>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

namespace {

std::string optional_text(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? "" : text_field(object, key);
}

std::optional<double> optional_number(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::nullopt;
  return number_field(object, key);
}

OrderedJson text_or_null(const std::string& text) { return text.empty() ? OrderedJson(nullptr) : OrderedJson(text); }

OrderedJson number_or_null(const std::optional<double>& number) { return number ? OrderedJson(*number) : OrderedJson(nullptr); }

const Json& array_field(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array())
    throw Error("expected the list \"{}\", found {}", key, found == object.end() ? "none" : found->type_name());
  return *found;
}

template <typename Value>
std::vector<Value> list_field(const Json& object, const std::string& key) {
  std::vector<Value> values;
  for (const Json& item : array_field(object, key)) {
    if constexpr (std::is_same_v<Value, std::string>) {
      if (!item.is_string()) throw Error("\"{}\": expected a list of strings, found {}", key, item.type_name());
    } else if constexpr (std::is_same_v<Value, double>) {
      if (!item.is_number()) throw Error("\"{}\": expected a list of numbers, found {}", key, item.type_name());
    } else {
      if (!item.is_number_integer()) throw Error("\"{}\": expected a list of integers, found {}", key, item.type_name());
    }
    values.push_back(item.get<Value>());
  }
  return values;
}

Budget budget_from_json(const Json& json) {
  Budget budget;
  budget.tokens_generated = integer_field(json, "tokens_generated");
  budget.responses_generated = integer_field(json, "responses_generated");
  budget.responses_kept = integer_field(json, "responses_kept");
  budget.updates = integer_field(json, "updates");
  budget.visits_per_problem = number_field(json, "visits_per_problem");
  return budget;
}

SeedRecord seed_from_json(const Json& json) {
  SeedRecord seed;
  seed.seed = integer_field(json, "seed");
  if (json.contains("n")) seed.n = integer_field(json, "n");
  seed.failed = optional_text(json, "failed");
  seed.metrics = optional_text(json, "metrics");
  seed.config = optional_text(json, "config");
  seed.timing = optional_text(json, "timing");
  seed.train_pass_rate = optional_number(json, "train_pass_rate");
  if (json.contains("checkpoints")) {
    for (const Json& one : array_field(json, "checkpoints")) {
      seed.checkpoints[integer_field(one, "step")] = text_field(one, "outcomes");
    }
  }
  if (const auto budget = json.find("budget"); budget != json.end() && budget->is_null()) {
    seed.budget = std::nullopt;
  } else if (budget != json.end()) {
    seed.budget = with_context("budget", [&] { return budget_from_json(*budget); });
  }
  if (seed.failed.empty()) {
    seed.sets = list_field<std::string>(json, "sets");
    seed.outcomes = text_field(json, "outcomes");
  } else {
    seed.outcomes = optional_text(json, "outcomes");
  }
  return seed;
}

RowRecord row_from_json(const Json& json) {
  RowRecord row;
  row.name = text_field(json, "name");
  row.label = optional_text(json, "label");
  row.base_model = optional_text(json, "base_model");
  row.compare_to = optional_text(json, "compare_to");
  row.seeds = list_field<int64_t>(json, "seeds");
  for (const Json& cell : array_field(json, "cells")) {
    row.records.push_back(with_context(fmt::format("cell {}", row.records.size() + 1), [&] { return seed_from_json(cell); }));
  }
  return row;
}

void check_rows(const ExperimentRecord& record) {
  std::set<std::pair<std::string, std::string>> names;
  for (const RowRecord& row : record.rows) {
    if (!names.emplace(row.base_model, row.name).second) {
      throw Error("row {}: expected one row of this name for {}, found two", row.name, row.base_model);
    }
    std::set<int64_t> seeds;
    for (const SeedRecord& seed : row.records) {
      if (!seeds.insert(seed.seed).second)
        throw Error("row {}: expected one cell a seed, found two for {}", row.name, seed.seed);
    }
  }
  for (const RowRecord& row : record.rows) {
    if (!row.compare_to.empty() && record.find(row.base_model, row.compare_to) == nullptr) {
      throw Error("row {}: compare_to: expected a row of {}, found {}", row.name, row.base_model, row.compare_to);
    }
  }
}

// One that applies nowhere would guard nothing.
void check_conditions(const ExperimentRecord& record) {
  for (const Condition& condition : record.conditions) {
    const bool applies = std::any_of(record.rows.begin(), record.rows.end(), [&](const RowRecord& row) {
      return row.name == condition.row && record.find(row.base_model, condition.against) != nullptr;
    });
    if (applies) continue;
    throw Error("condition {}: expected rows {} and {} on one base model, found none", condition.name, condition.row,
                condition.against);
  }
}

OrderedJson to_json(const Budget& budget) {
  return OrderedJson{{"tokens_generated", budget.tokens_generated},
                     {"responses_generated", budget.responses_generated},
                     {"responses_kept", budget.responses_kept},
                     {"updates", budget.updates},
                     {"visits_per_problem", budget.visits_per_problem}};
}

OrderedJson to_json(const SeedRecord& seed) {
  OrderedJson json;
  json["seed"] = seed.seed;
  if (seed.n > 0) json["n"] = seed.n;
  json["sets"] = seed.sets;
  json["outcomes"] = text_or_null(seed.outcomes);
  json["metrics"] = text_or_null(seed.metrics);
  json["config"] = text_or_null(seed.config);
  json["timing"] = text_or_null(seed.timing);
  json["budget"] = seed.budget ? to_json(*seed.budget) : OrderedJson(nullptr);
  json["train_pass_rate"] = number_or_null(seed.train_pass_rate);
  for (const auto& [step, outcomes] : seed.checkpoints) {
    json["checkpoints"].push_back(OrderedJson{{"step", step}, {"outcomes", outcomes}});
  }
  json["failed"] = text_or_null(seed.failed);
  return json;
}

}  // namespace

const RowRecord* ExperimentRecord::find(const std::string& base_model, const std::string& name) const {
  for (const RowRecord& row : rows) {
    if (row.base_model == base_model && row.name == name) return &row;
  }
  return nullptr;
}

OrderedJson to_json(const ExperimentRecord& record) {
  OrderedJson json;
  json["version"] = kExperimentRecordVersion;
  json["format"] = "medsbench experiment";
  json["title"] = record.title;
  json["sets"] = record.sets;
  json["columns"] = OrderedJson{{"k", record.k}};
  if (!record.g_pass.empty()) json["columns"]["g_pass"] = record.g_pass;
  if (record.maj) json["columns"]["maj"] = true;
  if (!record.cover.empty()) json["columns"]["cover"] = record.cover;
  json["n"] = record.n;
  json["eval_seed"] = record.eval_seed ? OrderedJson(*record.eval_seed) : OrderedJson(nullptr);
  json["temperature"] = number_or_null(record.temperature);
  json["grader"] = text_or_null(record.grader);
  json["config_hash"] = record.config_hash;
  json["commit"] = record.commit;
  json["device"] = record.device;
  json["largest_logprob_difference"] = number_or_null(record.largest_log_prob_difference);
  json["machine"] = OrderedJson::parse(record.machine.dump());
  if (record.scale != 1) json["scale"] = record.scale;
  if (!record.notes.empty()) json["notes"] = record.notes;
  if (!record.imported_from.empty()) json["imported_from"] = record.imported_from;
  json["published"] = text_or_null(record.published);
  if (!record.primary.empty()) json["primary"] = record.primary;
  if (record.rule != SeedRule{}) json["rule"] = to_json(record.rule);
  for (const Condition& condition : record.conditions) json["conditions"].push_back(to_json(condition));
  if (!record.guarded.empty()) json["guarded"] = record.guarded;
  if (!record.amended.empty()) json["amended"] = record.amended;
  json["rows"] = OrderedJson::array();
  for (const RowRecord& row : record.rows) {
    OrderedJson line{{"name", row.name}, {"label", row.shown()}, {"base_model", row.base_model}};
    line["compare_to"] = text_or_null(row.compare_to);
    line["seeds"] = row.seeds;
    line["cells"] = OrderedJson::array();
    for (const SeedRecord& seed : row.records) line["cells"].push_back(to_json(seed));
    json["rows"].push_back(std::move(line));
  }
  return json;
}

ExperimentRecord experiment_record_from_json(const Json& json) {
  const int64_t version = integer_field(json, "version");
  if (version > kExperimentRecordVersion) throw Error("expected version <= {}, found {}", kExperimentRecordVersion, version);
  ExperimentRecord record;
  record.title = text_field(json, "title");
  record.sets = list_field<std::string>(json, "sets");
  if (json.contains("columns")) {
    const Json& columns = json["columns"];
    record.k = list_field<int64_t>(columns, "k");
    if (columns.contains("g_pass")) record.g_pass = list_field<double>(columns, "g_pass");
    if (columns.contains("cover")) record.cover = list_field<double>(columns, "cover");
    record.maj = columns.contains("maj") && boolean_field(columns, "maj");
  }
  record.n = integer_field(json, "n");
  if (json.contains("eval_seed") && json["eval_seed"].is_null()) record.eval_seed = std::nullopt;
  if (json.contains("eval_seed") && record.eval_seed) record.eval_seed = json["eval_seed"].get<uint64_t>();
  record.temperature = optional_number(json, "temperature");
  record.grader = optional_text(json, "grader");
  record.config_hash = optional_text(json, "config_hash");
  record.commit = optional_text(json, "commit");
  record.device = optional_text(json, "device");
  record.largest_log_prob_difference = optional_number(json, "largest_logprob_difference");
  if (json.contains("machine") && json["machine"].is_object()) record.machine = json["machine"];
  if (json.contains("scale")) record.scale = number_field(json, "scale");
  if (json.contains("notes")) record.notes = list_field<std::string>(json, "notes");
  record.imported_from = optional_text(json, "imported_from");
  record.published = optional_text(json, "published");
  if (json.contains("primary")) record.primary = list_field<std::string>(json, "primary");
  if (json.contains("rule")) record.rule = with_context("rule", [&] { return seed_rule_from_json(json["rule"]); });
  if (json.contains("conditions")) {
    for (const Json& one : array_field(json, "conditions")) {
      record.conditions.push_back(with_context("conditions", [&] { return condition_from_json(one); }));
    }
  }
  if (json.contains("guarded")) record.guarded = list_field<std::string>(json, "guarded");
  if (json.contains("amended")) record.amended = list_field<std::string>(json, "amended");
  for (const Json& row : array_field(json, "rows")) {
    record.rows.push_back(with_context(fmt::format("row {}", record.rows.size() + 1), [&] { return row_from_json(row); }));
  }
  check_rows(record);
  check_conditions(record);
  return record;
}

ExperimentRecord read_experiment_record(const std::string& folder) {
  const std::string path = folder + "/experiment.json";
  const std::string text = read_file(path);
  return with_context(path, [&] { return experiment_record_from_json(parse_json(text)); });
}

void write_experiment_record(const std::string& folder, const ExperimentRecord& record) {
  write_file_atomically(folder + "/experiment.json", to_json(record).dump(1) + "\n");
}

}  // namespace harness
