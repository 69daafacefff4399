#include "experiments/cli/experiment_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "datasets/catalog.h"
#include "datasets/published.h"
#include "experiments/cli/base_model.h"
#include "experiments/cli/cell.h"
#include "experiments/cli/planning.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/files/folder_identity.h"

namespace experiments {

using harness::Config;
using harness::Error;
namespace fs = std::filesystem;

namespace {

// Of a model that was there when the experiment ran: what was made of it stays done.
std::string remembered_identity(const std::string& name, const Experiment& experiment) {
  const auto known = remembered_models(experiment.runs);
  const auto found = known.find(name);
  return found == known.end() ? "absent " + name : found->second;
}

BaseModel model_of_folder(const std::string& name, Config& model, Experiment& experiment) {
  BaseModel base;
  base.name = name;
  base.path = model.text("path", "");
  const std::string found = find_model(base.path, experiment.model_cache);
  base.folder = found.empty() ? base.path : found;
  // A folder that is not there yet is made, or asked for, before any cell runs; then the file is read again.
  base.identity = found.empty() ? remembered_identity(name, experiment) : harness::folder_identity(found);
  base.shape = model.text("shape", "");
  if (!base.shape.empty()) base.shape = beside(experiment.file, base.shape);
  base.positions = model.integer("positions", 0, 0);
  if (base.positions > 0) {
    base.folder = fmt::format("{}/{}-positions{}", experiment.model_cache, folder_name(name), base.positions);
    if (!found.empty()) base.identity += fmt::format(" positions {}", base.positions);
  }
  if (const std::string prepare = model.text("prepare", ""); !prepare.empty()) {
    experiment.prepare[name] = beside(experiment.file, prepare);
  }
  return base;
}

// The model named by models.NAME.start; null where none is named.
const BaseModel* start_of(const std::string& name, Config& model, const Experiment& experiment) {
  const std::string start = model.text("start", "");
  if (start.empty()) return nullptr;
  const auto found = std::find_if(experiment.models.begin(), experiment.models.end(),
                                  [&](const BaseModel& other) { return other.name == start; });
  if (found == experiment.models.end()) {
    throw Error("{}: models.{}.start: expected the name of another model, found {}", experiment.file, name, start);
  }
  return &*found;
}

BaseModel model_of_training(const std::string& name, Config& model, const Config& common, Experiment& experiment) {
  Config config = Config::from_toml_file(beside(experiment.file, model.text("pretrain", "")));
  const BaseModel* start = start_of(name, model, experiment);
  if (start != nullptr) {
    config.set("model.start", Config::Value(start->folder), experiment.file);
    config.set("model.identity", Config::Value(start->identity), experiment.file);
  }
  const std::string shown = Config(config).text("data.demonstrations", "");
  if (datasets::find_published_set(shown) != nullptr) {
    if (common.has("data.dir")) config.set("data.dir", Config::Value(Config(common).text("data.dir", "")), "data.dir");
    const std::string data_dir = Config(config).text("data.dir", "");
    config.set("data.identity", Config::Value(datasets::files_identity({shown + ":train"}, data_dir)), "data");
  }
  Config reader = config;
  read_pretrain_cell(reader);
  reader.finish();
  PlannedCell planned;
  planned.identity = cell_identity(reader, "pretrain");
  planned.config = only_read(config, reader);
  planned.cell.id = "base/" + name;
  planned.cell.kind = "base";
  planned.cell.folder = fmt::format("{}/{}-{}", experiment.model_cache, folder_name(name), planned.identity.substr(0, 12));
  planned.cell.arguments = {"pretrain", planned.cell.folder + "/cell.toml", "--out", planned.cell.folder};
  if (start != nullptr && !start->cell.empty()) planned.cell.after = {start->cell};
  BaseModel base;
  base.name = name;
  base.folder = planned.cell.folder + "/model";
  base.cell = planned.cell.id;
  base.identity = planned.identity;
  experiment.base_cells.push_back(std::move(planned));
  return base;
}

BaseModel plan_model(const std::string& name, Config& model, const Config& common, Experiment& experiment) {
  for (const char* key : {"path", "pretrain", "start", "prepare"}) model.text(key, "");  // the last two may stand beside either
  const bool has_path = !model.text("path", "").empty(), has_pretrain = !model.text("pretrain", "").empty();
  if (has_path == has_pretrain) {
    throw Error("{}: models.{}: expected either path or pretrain, found {}", experiment.file, name,
                has_path ? "both" : "neither");
  }
  return has_path ? model_of_folder(name, model, experiment) : model_of_training(name, model, common, experiment);
}

}  // namespace

void plan_models(Config& models, const Config& common, Experiment& experiment) {
  std::set<std::string> names;
  for (const auto& [key, entry] : models.entries()) names.insert(key.substr(0, key.rfind('.')));
  if (names.empty()) throw Error("{}: expected at least one [models.NAME], found none", experiment.file);
  std::vector<std::string> order(names.begin(), names.end());
  // A model that starts from another comes after it.
  std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
    return !models.has(a + ".start") && models.has(b + ".start");
  });
  for (const std::string& name : order) {
    Config model = models.take(name);
    experiment.models.push_back(plan_model(name, model, common, experiment));
    model.finish();
  }
}

std::map<std::string, std::string> remembered_models(const std::string& runs) {
  const std::string path = runs + "/models.json";
  if (!fs::exists(path)) return {};
  return harness::with_context(path, [&] {
    const harness::Json json = harness::parse_json(harness::read_file(path));
    if (const int64_t version = harness::integer_field(json, "version"); version > 1) {
      throw Error("expected version <= 1, found {}", version);
    }
    std::map<std::string, std::string> known;
    for (const auto& [name, identity] : json.at("models").items()) known[name] = identity.get<std::string>();
    return known;
  });
}

void remember_models(const Experiment& experiment) {
  harness::OrderedJson models = harness::OrderedJson::object();
  for (const auto& [name, identity] : remembered_models(experiment.runs)) models[name] = identity;
  bool any = false;
  for (const BaseModel& model : experiment.models) {
    if (!model.cell.empty() || !fs::exists(model.folder + "/config.json")) continue;
    models[model.name] = model.identity;
    any = true;
  }
  if (!any) return;
  harness::write_file_atomically(experiment.runs + "/models.json",
                                 harness::OrderedJson{{"version", 1}, {"models", models}}.dump(1) + "\n");
}

}  // namespace experiments
