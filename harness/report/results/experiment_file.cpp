#include "harness/report/results/experiment_file.h"

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

ManifestCell cell_from_json(const Json& json) {
  ManifestCell cell;
  cell.seed = integer_field(json, "seed");
  cell.failed = optional_text(json, "failed");
  cell.metrics = optional_text(json, "metrics");
  cell.config = optional_text(json, "config");
  cell.timing = optional_text(json, "timing");
  cell.train_pass_rate = optional_number(json, "train_pass_rate");
  if (json.contains("budget") && json["budget"].is_object()) {
    cell.budget = with_context("budget", [&] { return budget_from_json(json["budget"]); });
  }
  if (cell.failed.empty()) {
    cell.sets = list_field<std::string>(json, "sets");
    cell.outcomes = text_field(json, "outcomes");
  } else {
    cell.outcomes = optional_text(json, "outcomes");
  }
  return cell;
}

ManifestRow row_from_json(const Json& json) {
  ManifestRow row;
  row.name = text_field(json, "name");
  row.label = optional_text(json, "label");
  row.base_model = optional_text(json, "base_model");
  row.compare_to = optional_text(json, "compare_to");
  row.seeds = list_field<int64_t>(json, "seeds");
  for (const Json& cell : array_field(json, "cells")) {
    row.cells.push_back(with_context(fmt::format("cell {}", row.cells.size() + 1), [&] { return cell_from_json(cell); }));
  }
  return row;
}

void check_rows(const ExperimentManifest& manifest) {
  std::set<std::pair<std::string, std::string>> names;
  for (const ManifestRow& row : manifest.rows) {
    if (!names.emplace(row.base_model, row.name).second) {
      throw Error("row {}: expected one row of this name for {}, found two", row.name, row.base_model);
    }
    std::set<int64_t> seeds;
    for (const ManifestCell& cell : row.cells) {
      if (!seeds.insert(cell.seed).second)
        throw Error("row {}: expected one cell a seed, found two for {}", row.name, cell.seed);
    }
  }
  for (const ManifestRow& row : manifest.rows) {
    if (!row.compare_to.empty() && manifest.find(row.base_model, row.compare_to) == nullptr) {
      throw Error("row {}: compare_to: expected a row of {}, found {}", row.name, row.base_model, row.compare_to);
    }
  }
}

OrderedJson to_json(const ManifestCell& cell) {
  OrderedJson json;
  json["seed"] = cell.seed;
  json["sets"] = cell.sets;
  json["outcomes"] = text_or_null(cell.outcomes);
  json["metrics"] = text_or_null(cell.metrics);
  json["config"] = text_or_null(cell.config);
  json["timing"] = text_or_null(cell.timing);
  json["budget"] = OrderedJson{{"tokens_generated", cell.budget.tokens_generated},
                               {"responses_generated", cell.budget.responses_generated},
                               {"responses_kept", cell.budget.responses_kept},
                               {"updates", cell.budget.updates},
                               {"visits_per_problem", cell.budget.visits_per_problem}};
  json["train_pass_rate"] = number_or_null(cell.train_pass_rate);
  json["failed"] = text_or_null(cell.failed);
  return json;
}

}  // namespace

const ManifestRow* ExperimentManifest::find(const std::string& base_model, const std::string& name) const {
  for (const ManifestRow& row : rows) {
    if (row.base_model == base_model && row.name == name) return &row;
  }
  return nullptr;
}

OrderedJson to_json(const ExperimentManifest& manifest) {
  OrderedJson json;
  json["version"] = kManifestVersion;
  json["format"] = "medsbench experiment";
  json["title"] = manifest.title;
  json["sets"] = manifest.sets;
  json["columns"] = OrderedJson{{"k", manifest.k}};
  if (!manifest.g_pass.empty()) json["columns"]["g_pass"] = manifest.g_pass;
  if (manifest.maj) json["columns"]["maj"] = true;
  json["n"] = manifest.n;
  json["eval_seed"] = manifest.eval_seed;
  json["temperature"] = manifest.temperature;
  json["grader"] = text_or_null(manifest.grader);
  json["config_hash"] = manifest.config_hash;
  json["commit"] = manifest.commit;
  json["device"] = manifest.device;
  json["largest_logprob_difference"] = number_or_null(manifest.largest_log_prob_difference);
  json["machine"] = OrderedJson::parse(manifest.machine.dump());
  if (manifest.scale != 1) json["scale"] = manifest.scale;
  if (!manifest.notes.empty()) json["notes"] = manifest.notes;
  json["published"] = text_or_null(manifest.published);
  if (!manifest.primary.empty()) json["primary"] = manifest.primary;
  json["rows"] = OrderedJson::array();
  for (const ManifestRow& row : manifest.rows) {
    OrderedJson line{{"name", row.name}, {"label", row.shown()}, {"base_model", row.base_model}};
    line["compare_to"] = text_or_null(row.compare_to);
    line["seeds"] = row.seeds;
    line["cells"] = OrderedJson::array();
    for (const ManifestCell& cell : row.cells) line["cells"].push_back(to_json(cell));
    json["rows"].push_back(std::move(line));
  }
  return json;
}

ExperimentManifest manifest_from_json(const Json& json) {
  const int64_t version = integer_field(json, "version");
  if (version > kManifestVersion) throw Error("expected version <= {}, found {}", kManifestVersion, version);
  ExperimentManifest manifest;
  manifest.title = text_field(json, "title");
  manifest.sets = list_field<std::string>(json, "sets");
  if (json.contains("columns")) {
    const Json& columns = json["columns"];
    manifest.k = list_field<int64_t>(columns, "k");
    if (columns.contains("g_pass")) manifest.g_pass = list_field<double>(columns, "g_pass");
    manifest.maj = columns.contains("maj") && boolean_field(columns, "maj");
  }
  manifest.n = integer_field(json, "n");
  if (json.contains("eval_seed")) manifest.eval_seed = json["eval_seed"].get<uint64_t>();
  manifest.temperature = number_field(json, "temperature");
  manifest.grader = optional_text(json, "grader");
  manifest.config_hash = optional_text(json, "config_hash");
  manifest.commit = optional_text(json, "commit");
  manifest.device = optional_text(json, "device");
  manifest.largest_log_prob_difference = optional_number(json, "largest_logprob_difference");
  if (json.contains("machine") && json["machine"].is_object()) manifest.machine = json["machine"];
  if (json.contains("scale")) manifest.scale = number_field(json, "scale");
  if (json.contains("notes")) manifest.notes = list_field<std::string>(json, "notes");
  manifest.published = optional_text(json, "published");
  if (json.contains("primary")) manifest.primary = list_field<std::string>(json, "primary");
  for (const Json& row : array_field(json, "rows")) {
    manifest.rows.push_back(with_context(fmt::format("row {}", manifest.rows.size() + 1), [&] { return row_from_json(row); }));
  }
  check_rows(manifest);
  return manifest;
}

ExperimentManifest read_manifest(const std::string& folder) {
  const std::string path = folder + "/experiment.json";
  const std::string text = read_file(path);
  return with_context(path, [&] { return manifest_from_json(parse_json(text)); });
}

void write_manifest(const std::string& folder, const ExperimentManifest& manifest) {
  write_file_atomically(folder + "/experiment.json", to_json(manifest).dump(1) + "\n");
}

}  // namespace harness
