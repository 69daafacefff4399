#include "experiments/cli/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "baselines/all_methods.h"
#include "datasets/catalog.h"
#include "experiments/cli/cell.h"
#include "experiments/cli/cell_folder.h"
#include "experiments/cli/every_method.h"
#include "experiments/cli/experiment_models.h"
#include "experiments/cli/planning.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/report/table/columns.h"

namespace experiments {

using harness::Config;
using harness::Error;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kRowKeys = {"name", "label", "compare_to", "untrained", "seeds", "models", "regrade_of"};

// Keys of the file's head, which no training or evaluation reads.
bool of_the_experiment(const std::string& assignment) {
  const std::string key = assignment.substr(0, assignment.find('='));
  return key == "title" || key == "seeds" || key.starts_with("run.") || key.starts_with("table.") || key.starts_with("models.");
}

class Planner {
 public:
  Planner(std::string file, const ExperimentOptions& options) : options_(options) {
    experiment_.file = std::move(file);
    common_ = Config::from_toml_file(experiment_.file);
    for (const std::string& set : options.sets) common_.set(set);
  }

  Experiment plan() {
    read_head();
    std::vector<Config> rows = common_.take_tables("rows");
    Config models = common_.take("models");
    if (!options_.data_dir.empty()) common_.set("data.dir", Config::Value(options_.data_dir), "--data");
    plan_models(models, common_, experiment_);
    if (rows.empty()) throw Error("{}: expected at least one [[rows]], found none", experiment_.file);
    for (Config& row : rows) plan_row(row);
    check_comparisons();
    // Keys that every row overrides may be read by none: each row's own check found the others.
    std::string identities;
    for (const PlannedCell* cell : all_cells(experiment_)) identities += cell->identity;
    experiment_.config_hash = harness::sha256_hex(identities).substr(0, 16);
    return std::move(experiment_);
  }

 private:
  void read_head() {
    const std::string stem = fs::path(experiment_.file).stem().string();
    experiment_.title = common_.text("title", stem);
    seeds_ = common_.integers("seeds", {1});
    if (options_.seeds > 0) {
      for (int64_t next = 1; static_cast<int64_t>(seeds_.size()) < options_.seeds; ++next) {
        if (std::find(seeds_.begin(), seeds_.end(), next) == seeds_.end()) seeds_.push_back(next);
      }
      seeds_.resize(static_cast<size_t>(options_.seeds));
    }
    experiment_.scale = options_.scale;
    // What was run at another scale is never mixed with it.
    const std::string scale = options_.scale == 1 ? "" : fmt::format("-scale{}", options_.scale);
    experiment_.results = common_.text("run.results", "results/" + stem) + scale;
    experiment_.runs = options_.runs.empty() ? common_.text("run.runs", "runs/" + stem) + scale : options_.runs;
    if (!options_.runs.empty()) {
      common_.text("run.runs", "");
      experiment_.results = experiment_.runs + "/results";
    }
    experiment_.model_cache = common_.text("run.models", "models");
    experiment_.jobs = options_.jobs > 0 ? options_.jobs : common_.integer("run.jobs", 2, 1, 1024);
    experiment_.k = common_.integers("table.k", {1, 128});
    experiment_.g_pass = common_.numbers("table.g_pass", {});
    for (const double tau : experiment_.g_pass) {
      if (!(tau >= 0 && tau <= 1)) throw Error("{}: table.g_pass: expected numbers in [0, 1], found {}", experiment_.file, tau);
    }
    experiment_.primary = common_.texts("table.primary", {});
    for (const std::string& column : experiment_.primary) {
      harness::with_context(experiment_.file + ": table.primary", [&] { harness::parse_column(column); });
    }
    experiment_.maj = common_.boolean("table.maj", false);
    experiment_.slurm = common_.texts("run.slurm", {});
    experiment_.published = common_.text("table.published", "");
    for (const std::string& also : common_.texts("run.also", {})) experiment_.also.push_back(beside(experiment_.file, also));
    if (!experiment_.published.empty()) experiment_.published = beside(experiment_.file, experiment_.published);
    for (const char* key : {"title", "seeds", "run.results", "run.runs", "run.models", "run.jobs", "run.also", "run.slurm",
                            "table.k", "table.g_pass", "table.maj", "table.primary", "table.published"}) {
      common_.erase(key);
    }
  }

  // Of the published sets and files that a row reads; the generated ones follow from its keys.
  std::string data_identity(const Config& row) {
    Config reader = row;
    std::vector<std::string> names;
    for (const char* key : {"data.train", "data.validation", "data.test"}) {
      for (const std::string& name : reader.texts(key, {})) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const std::string data_dir = reader.text("data.dir", "");
    std::string key = data_dir;
    for (const std::string& name : names) key += "\n" + name;
    auto [place, fresh] = file_identities_.try_emplace(key);
    if (fresh) place->second = datasets::files_identity(names, data_dir);
    return place->second;
  }

  void plan_row(Config& row) {
    row_name_ = row.required_text("name");
    std::vector<std::string> model_names;
    for (const BaseModel& model : experiment_.models) model_names.push_back(model.name);
    const std::vector<std::string> wanted =
        row.texts("models", common_.has("models") ? common_.texts("models", {}) : model_names);
    for (const BaseModel& model : experiment_.models) {
      if (std::find(wanted.begin(), wanted.end(), model.name) != wanted.end()) plan_row_on(row, model);
    }
    for (const std::string& name : wanted) {
      if (std::find(model_names.begin(), model_names.end(), name) == model_names.end()) {
        throw Error("{}: row {}: models: expected a base model, found {}; the nearest is {}", experiment_.file, row_name_, name,
                    harness::nearest_name(name, model_names));
      }
    }
  }

  void plan_row_on(Config row, const BaseModel& model) {
    PlannedRow planned;
    planned.name = row_name_;
    planned.label = row.text("label", row_name_);
    planned.compare_to = row.text("compare_to", "");
    planned.untrained = row.boolean("untrained", false);
    planned.base_model = model.name;
    planned.seeds = planned.untrained ? std::vector<int64_t>{0} : row.integers("seeds", seeds_);
    const std::string regrade_of = row.text("regrade_of", "");
    const PlannedRow* source = nullptr;
    for (const PlannedRow& other : experiment_.rows) {
      if (!regrade_of.empty() && other.name == regrade_of && other.base_model == model.name) source = &other;
    }
    if (!regrade_of.empty() && source == nullptr) {
      throw Error("{}: row {}: regrade_of: expected the name of an earlier row, found {}", experiment_.file, row_name_,
                  regrade_of);
    }
    for (const std::string& key : kRowKeys) row.erase(key);
    Config whole = Config::from_toml_text("", experiment_.file);  // entries alone: what the head read is no part of a cell
    whole.overlay(common_);
    whole.erase("models");
    whole.overlay(row);
    for (const std::string& set : options_.sets) {  // over the row's own keys too
      if (!of_the_experiment(set)) whole.set(set);
    }
    experiment_.scaled.push_back(apply_scale(whole, options_.scale));
    whole.set("model.folder", Config::Value(model.folder), "models." + model.name);
    whole.set("model.identity", Config::Value(model.identity), "models." + model.name);
    const std::string files = data_identity(whole);
    if (!files.empty()) whole.set("data.identity", Config::Value(files), "data");
    for (const int64_t seed : planned.seeds) plan_seed(planned, whole, model, source, seed);
    experiment_.rows.push_back(std::move(planned));
  }

  void plan_seed(PlannedRow& row, Config whole, const BaseModel& model, const PlannedRow* source, int64_t seed) {
    const std::string id = fmt::format("{}/{}/seed{}", folder_name(model.name), folder_name(row.name), seed);
    const std::string folder = experiment_.runs + "/cells/" + id;
    whole.set("train.seed", Config::Value(seed), "seeds");
    whole.set("eval.training_seed", Config::Value(seed), "seeds");
    Config based = baselines::with_base(whole, every_method());
    Config train_reader = based, eval_reader = based;
    const TrainCell train =
        harness::with_context(fmt::format("row {}", row.name), [&] { return read_train_cell(train_reader); });
    read_eval_cell(eval_reader);
    // A key must be read by the training or by the evaluation.
    Config both = train_reader;
    EvalCell eval = read_eval_cell(both);
    both.finish();
    std::vector<std::string> after;
    if (!model.cell.empty()) after = {model.cell};
    PlannedCell evaluation;
    Config eval_config = only_read(based, eval_reader);
    if (!row.untrained) {
      PlannedCell training;
      training.identity = cell_identity(train_reader, "train");
      training.config = only_read(based, train_reader);
      training.cell = {"train/" + id,     "train", {"train", folder + "/train/cell.toml", "--out", folder + "/train"},
                       folder + "/train", after,   0};
      after = {training.cell.id};
      eval_config.set("model.folder", Config::Value(folder + "/train/model"), "the training");
      eval_config.set("model.identity", Config::Value(training.identity), "the training");
      row.train[seed] = std::move(training);
    }
    if (source != nullptr) {
      const PlannedCell& graded = source->eval.at(seed);
      eval_config.set("eval.outcomes_folder", Config::Value(graded.cell.folder), "regrade_of");
      eval_config.set("eval.outcomes_identity", Config::Value(graded.identity), "regrade_of");
      after = {graded.cell.id};
    }
    Config identity_reader = eval_config;
    eval = read_eval_cell(identity_reader);
    evaluation.identity = eval_identity(identity_reader);
    evaluation.config = eval_config;
    evaluation.cell = {"eval/" + id,     "eval", {"eval", folder + "/eval/cell.toml", "--out", folder + "/eval"},
                       folder + "/eval", after,  0};
    row.eval[seed] = std::move(evaluation);
    if (row.config.entries().empty()) row.config = both;
    note_evaluation(eval, train);
  }

  // What the table's footer says must hold for all of it.
  void note_evaluation(const EvalCell& eval, const TrainCell& train) {
    std::vector<std::string> sets;
    for (const std::string& given : eval.data.sets) {
      const std::string name = datasets::parse_set_name(given).name;
      if (name == "nano") {
        for (const std::string& part : datasets::nano_set_names()) sets.push_back("nano/" + part);
      } else {
        sets.push_back(name);
      }
    }
    const std::string device = train.numerics.numerics.device.str();
    if (experiment_.sets.empty()) {
      experiment_.sets = sets;
      experiment_.n = eval.settings.n;
      if (experiment_.scale != 1) experiment_.k = reachable_k(experiment_.k, experiment_.n);
      experiment_.eval_seed = eval.settings.seed;
      experiment_.temperature = eval.settings.sampling.temperature;
      experiment_.device = device;
      experiment_.grader = eval.settings.graders.front();
      return;
    }
    if (sets != experiment_.sets || eval.settings.n != experiment_.n || eval.settings.seed != experiment_.eval_seed ||
        eval.settings.sampling.temperature != experiment_.temperature) {
      throw Error(
          "{}: row {}: expected the same data.test, eval.n, eval.seed and eval.temperature as the other rows of the "
          "table, found others",
          experiment_.file, row_name_);
    }
    // Rows with graders of their own: each outcome file says which is its main one.
    if (eval.settings.graders.front() != experiment_.grader) experiment_.grader.clear();
  }

  void check_comparisons() const {
    std::set<std::string> names;
    for (const PlannedRow& row : experiment_.rows) {
      if (!names.insert(row.base_model + "/" + row.name).second) {
        throw Error("{}: expected rows with names of their own, found {} twice", experiment_.file, row.name);
      }
    }
    for (const PlannedRow& row : experiment_.rows) {
      if (!row.compare_to.empty() && !names.contains(row.base_model + "/" + row.compare_to)) {
        throw Error("{}: row {}: compare_to: expected the name of a row, found {}", experiment_.file, row.name, row.compare_to);
      }
    }
  }

  const ExperimentOptions& options_;
  Experiment experiment_;
  Config common_;
  std::vector<int64_t> seeds_;
  std::string row_name_;
  std::map<std::string, std::string> file_identities_;  // of data files, by where and what they are
};

}  // namespace

Experiment read_experiment_file(const std::string& file, const ExperimentOptions& options) {
  return Planner(file, options).plan();
}

std::vector<const PlannedCell*> all_cells(const Experiment& experiment) {
  std::vector<const PlannedCell*> cells;
  for (const PlannedCell& cell : experiment.base_cells) cells.push_back(&cell);
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, cell] : row.train) cells.push_back(&cell);
    for (const auto& [seed, cell] : row.eval) cells.push_back(&cell);
  }
  return cells;
}

bool cell_done(const PlannedCell& planned) {
  const auto done = read_done(planned.cell.folder);
  if (!done || done->value("identity", "") != planned.identity) return false;
  if (planned.cell.kind != "eval") return true;
  Config config = planned.config;
  return harness::integer_field(*done, "n") >= config.integer("eval.n", 128);
}

harness::Config effective_row(const std::string& file, const std::string& row, const ExperimentOptions& options) {
  Config config = Config::from_toml_file(file);
  if (config.take_tables("rows").empty()) {
    for (const std::string& set : options.sets) config.set(set);
    if (!config.has("model.folder")) config.set("model.folder", Config::Value(std::string()), "default");
    Config based = baselines::with_base(config, every_method());
    read_train_cell(based);
    read_eval_cell(based);
    based.finish();
    return based;
  }
  const Experiment experiment = read_experiment_file(file, options);
  std::vector<std::string> names;
  for (const PlannedRow& planned : experiment.rows) {
    if (row.empty() || planned.name == row) return planned.config;
    names.push_back(planned.name);
  }
  throw Error("{}: expected a row, found {}; the nearest is {}", file, row, harness::nearest_name(row, names));
}

}  // namespace experiments
