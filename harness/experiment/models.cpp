#include "harness/experiment/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/subprocess.h"
#include "harness/experiment/base_model.h"
#include "harness/experiment/file_keys.h"
#include "harness/experiment/jobs/identity.h"
#include "harness/experiment/jobs/settings.h"
#include "harness/experiment/paths.h"
#include "harness/model/files/folder_identity.h"

namespace harness {

namespace fs = std::filesystem;

namespace {

// Of a model that was there when the experiment ran: what was made of it stays done.
std::string remembered_identity(const std::string& name, const Experiment& experiment) {
  const auto known = remembered_models(experiment.runs);
  const auto found = known.find(name);
  return found == known.end() ? "absent " + name : found->second;
}

BaseModel model_of_folder(const std::string& name, const ModelKeys& keys, const Experiment& experiment) {
  BaseModel base;
  base.name = name;
  base.path = keys.path;
  const std::string found = find_model(base.path, experiment.model_cache);
  base.folder = found.empty() ? base.path : found;
  // A folder that is not there yet is made, or asked for, before any job runs; then the file is read again.
  base.identity = found.empty() ? remembered_identity(name, experiment) : folder_identity(found);
  if (!keys.shape.empty()) base.shape = beside(experiment.file, keys.shape);
  if (!keys.prepare.empty()) base.prepare = beside(experiment.file, keys.prepare);
  base.positions = keys.positions;
  if (base.positions > 0) {
    base.folder = fmt::format("{}/{}-positions{}", experiment.model_cache, folder_name(name), base.positions);
    if (!found.empty()) base.identity += fmt::format(" positions {}", base.positions);
  }
  return base;
}

// The model named by models.NAME.start; null where none is named.
const BaseModel* start_of(const std::string& name, const std::string& start, const Experiment& experiment) {
  if (start.empty()) return nullptr;
  const auto found = std::find_if(experiment.models.begin(), experiment.models.end(),
                                  [&](const BaseModel& other) { return other.name == start; });
  if (found == experiment.models.end()) {
    throw Error("{}: models.{}.start: expected the name of another model, found {}", experiment.file, name, start);
  }
  return &*found;
}

// What the training of a base model reads: its own file, and what it takes from this experiment.
Config pretrain_config(const std::string& file, const BaseModel* start, const Config& common, const Experiment& experiment,
                       const Program& program) {
  Config config = Config::from_toml_file(beside(experiment.file, file));
  if (start != nullptr) {
    config.set("model.start", Config::Value(start->folder), experiment.file);
    config.set("model.identity", Config::Value(start->identity), experiment.file);
  }
  ConfigReader keys(config);
  const PretrainJob job = read_pretrain_job(keys, program);
  const std::string files = program.problems.demonstration_files(job.demonstrations);
  if (files.empty()) return config;
  if (const Config::Entry* folder = common.find("data.dir")) config.set("data.dir", folder->value, "data.dir");
  ConfigReader folder(config);
  const std::string data_dir = folder.text("data.dir", "", "");
  config.set("data.identity", Config::Value(program.problems.files_identity({files}, data_dir)), "data");
  return config;
}

BaseModel model_of_training(const std::string& name, const ModelKeys& keys, const Config& common, Experiment& experiment,
                            const Program& program) {
  const BaseModel* start = start_of(name, keys.start, experiment);
  const Config config = pretrain_config(keys.pretrain, start, common, experiment, program);
  ConfigReader reader(config);
  experiment.pretrain_jobs.push_back(std::make_shared<const PretrainJob>(read_pretrain_job(reader, program)));
  reader.finish();
  PlannedJob planned;
  planned.job.takes_idle_workers = takes_idle_workers(experiment.pretrain_jobs.back()->numerics);
  planned.identity = job_identity(reader.effective(), "pretrain");
  planned.config = Config(config.name(), reader.effective());
  planned.job.id = "base/" + name;
  planned.job.kind = "base";
  planned.job.folder = fmt::format("{}/{}-{}", experiment.model_cache, folder_name(name), planned.identity.substr(0, 12));
  planned.job.arguments = {"pretrain", planned.job.folder + "/cell.toml", "--out", planned.job.folder};
  if (start != nullptr && !start->job.empty()) planned.job.after = {start->job};
  BaseModel base;
  base.name = name;
  base.folder = planned.job.folder + "/model";
  base.job = planned.job.id;
  base.identity = planned.identity;
  experiment.base_jobs.push_back(std::move(planned));
  return base;
}

BaseModel read_model(const std::string& name, const Config& model, const Config& common, Experiment& experiment,
                     const Program& program) {
  ConfigReader reader(model);
  const ModelKeys keys = read_model_keys(reader, fmt::format("{}: models.{}", experiment.file, name));
  reader.finish();
  const char* key = keys.path.empty() ? "pretrain" : "path";
  BaseModel base =
      keys.path.empty() ? model_of_training(name, keys, common, experiment, program) : model_of_folder(name, keys, experiment);
  base.place = fmt::format("{}: models.{}.{}", model.find(key)->origin, name, key);
  return base;
}

// [model.NAME], as one writes it who has one model.
std::string mistaken_table(const Config& common) {
  for (const auto& [key, entry] : common.entries()) {
    if (key.starts_with("model.")) return fmt::format("[{}] ({})", key.substr(0, key.rfind('.')), entry.origin);
  }
  return "none";
}

}  // namespace

void read_models(Config models, const Config& common, Experiment& experiment, const Program& program) {
  std::set<std::string> names;
  for (const auto& [key, entry] : models.entries()) names.insert(key.substr(0, key.rfind('.')));
  if (names.empty()) {
    throw Error("{}: expected at least one [models.NAME] with path or pretrain, found {}", experiment.file,
                mistaken_table(common));
  }
  std::vector<std::string> order(names.begin(), names.end());
  // A model that starts from another comes after it.
  std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
    return !models.has(a + ".start") && models.has(b + ".start");
  });
  for (const std::string& name : order) {
    experiment.models.push_back(read_model(name, models.take(name), common, experiment, program));
  }
}

std::map<std::string, std::string> remembered_models(const std::string& runs) {
  const std::string path = runs + "/models.json";
  if (!fs::exists(path)) return {};
  return with_context(path, [&] {
    const Json json = parse_json(read_file(path));
    if (const int64_t version = integer_field(json, "version"); version > 1) {
      throw Error("expected version <= 1, found {}", version);
    }
    std::map<std::string, std::string> known;
    for (const auto& [name, identity] : json.at("models").items()) known[name] = identity.get<std::string>();
    return known;
  });
}

void remember_models(const Experiment& experiment) {
  OrderedJson models = OrderedJson::object();
  for (const auto& [name, identity] : remembered_models(experiment.runs)) models[name] = identity;
  bool any = false;
  for (const BaseModel& model : experiment.models) {
    if (!model.job.empty() || !fs::exists(model.folder + "/config.json")) continue;
    models[model.name] = model.identity;
    any = true;
  }
  if (!any) return;
  write_file_atomically(experiment.runs + "/models.json", OrderedJson{{"version", 1}, {"models", models}}.dump(1) + "\n");
}

namespace {

// Runs the model's script with the path to make; what it prints goes to stderr.
void run_script(const BaseModel& model, const std::string& model_cache) {
  fmt::print(stderr, "{}: making {} with {}\n", model.name, model.path, model.prepare);
  const pid_t pid = start_process({.program = find_program("bash"),
                                   .arguments = {model.prepare, model.path},
                                   .environment = {{"MEDSBENCH", own_program()}},
                                   .out = stderr});
  const int status = wait_for(pid);
  if (status != 0 || find_model(model.path, model_cache).empty()) {
    throw Error("{}: expected it to make {}, found exit status {}", model.prepare, model.path, status);
  }
}

}  // namespace

bool prepare_models(const Experiment& experiment) {
  bool made = false;
  for (const BaseModel& model : experiment.models) {
    if (!model.job.empty()) continue;
    std::string source = find_model(model.path, experiment.model_cache);
    if (source.empty() && !model.prepare.empty()) {
      run_script(model, experiment.model_cache);
      source = find_model(model.path, experiment.model_cache);
      made = true;
    }
    if (!source.empty() && model.positions > 0) {
      with_context(fmt::format("{}: models.{}", experiment.file, model.name),
                   [&] { extend_positions(source, model.folder, model.positions); });
    }
  }
  return made;
}

}  // namespace harness
