#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/nearest_name.h"
#include "harness/experiment/checkpoint_evaluations.h"
#include "harness/experiment/experiment.h"
#include "harness/experiment/file_keys.h"
#include "harness/experiment/jobs/identity.h"
#include "harness/experiment/models.h"
#include "harness/experiment/paths.h"
#include "harness/experiment/row_pairs.h"
#include "harness/experiment/seed_looks.h"
#include "harness/experiment/trial.h"

namespace harness {

namespace fs = std::filesystem;

namespace {

// `seeds` made that many: the file's first, then the smallest others.
std::vector<int64_t> so_many_seeds(std::vector<int64_t> seeds, int64_t count) {
  for (int64_t next = 1; static_cast<int64_t>(seeds.size()) < count; ++next) {
    if (std::find(seeds.begin(), seeds.end(), next) == seeds.end()) seeds.push_back(next);
  }
  seeds.resize(static_cast<size_t>(count));
  return seeds;
}

class ExperimentReader {
 public:
  ExperimentReader(std::string file, const ExperimentOptions& options, const Program& program)
      : options_(options), program_(program) {
    experiment_.file = std::move(file);
    common_ = Config::from_toml_file(experiment_.file);
    for (const std::string& set : options.sets) common_.set(set);
  }

  Experiment read() {
    read_head();
    std::vector<Config> rows = common_.take_tables("rows");
    const std::vector<Config> conditions = common_.take_tables("conditions");
    Config models = common_.take("models");
    if (!options_.data_dir.empty()) common_.set("data.dir", Config::Value(options_.data_dir), "--data");
    read_models(std::move(models), common_, experiment_, program_);
    if (rows.empty()) {
      throw Error("{}: expected at least one [[rows]], each a training or evaluation by its name, found none",
                  experiment_.file);
    }
    for (Config& row : rows) read_row(row);
    check_comparisons(experiment_);
    read_conditions(conditions, experiment_);
    add_checkpoint_evaluations(experiment_);
    std::string identities;
    for (const PlannedJob* job : all_jobs(experiment_)) identities += job->identity;
    experiment_.config_hash = sha256_hex(identities).substr(0, 16);
    return std::move(experiment_);
  }

 private:
  // Reads the keys of the file's head and takes them out of those of every row.
  void read_head() {
    Experiment& e = experiment_;
    const std::string stem = fs::path(e.file).stem().string();
    ConfigReader keys(common_);
    FileHead head = read_file_head(keys, stem);
    e.head = keys.effective();
    for (const KeySpec& key : keys.keys()) {
      common_.erase(key.name);
      elsewhere_.push_back(key.name);
    }
    seeds_ = options_.seeds > 0 ? so_many_seeds(head.seeds, options_.seeds) : head.seeds;
    // What was run at another scale is never mixed with it.
    const std::string scale = options_.scale == 1 ? "" : fmt::format("-scale{}", options_.scale);
    static_cast<TableSettings&>(e) = std::move(head.table);
    e.scale = options_.scale;
    e.results = options_.runs.empty() ? head.results + scale : options_.runs + "/results";
    e.runs = options_.runs.empty() ? head.runs + scale : options_.runs;
    e.model_cache = std::move(head.model_cache);
    whole_seeds_ = head.whole_seeds;
    other_n_ = std::max<int64_t>(1, std::llround(static_cast<double>(head.other_n) * options_.scale));
    e.workers = options_.workers > 0 ? options_.workers : head.workers;
    e.trial = head.trial;
    for (const std::string& also : head.also) e.also.push_back(beside(e.file, also));
    e.slurm = std::move(head.slurm);
    if (!head.published.empty()) e.published = beside(e.file, head.published);
    if (e.rule.kind == SeedRule::Kind::fixed) return;
    if (options_.seeds > 0) {
      throw Error("{}: until.rule: expected no --seeds beside it, found --seeds {}: the rule says how many seeds rows get",
                  e.file, options_.seeds);
    }
    if (auto looks = read_looks(e.runs)) {
      e.amended = std::move(looks->amended);
      seeds_of_rows_ = std::move(looks->seeds);
    }
  }

  // Under a rule: as many as its looks so far gave the row. Its own list would end a comparison before the rule does.
  std::vector<int64_t> seeds_of(const RowHead& head, const BaseModel& model) const {
    const SeedRule& rule = experiment_.rule;
    if (rule.kind == SeedRule::Kind::fixed || head.untrained) return head.seeds;
    if (head_.at("seeds").origin != "default") {
      if (head.compare_to.empty()) return head.seeds;
      throw Error("{}: row {}: seeds: expected none beside until.rule and compare_to, found {}", head_.at("seeds").origin,
                  head.name, fmt::join(head.seeds, ", "));
    }
    const auto found = seeds_of_rows_.find(model.name + "/" + head.name);
    return so_many_seeds(seeds_, found == seeds_of_rows_.end() ? rule.looks.front() : found->second);
  }

  // Of the published sets and files that a row reads; the generated ones follow from its keys.
  std::string data_identity(const Config& row) {
    ConfigReader keys(row);
    std::set<std::string> names;
    for (const char* key : {"data.train", "data.validation", "data.test"}) {
      for (const std::string& name : keys.texts(key, {}, "")) names.insert(name);
    }
    const std::string data_dir = keys.text("data.dir", "", "");
    std::string key = data_dir;
    for (const std::string& name : names) key += "\n" + name;
    auto [place, fresh] = file_identities_.try_emplace(key);
    if (fresh) place->second = program_.problems.files_identity({names.begin(), names.end()}, data_dir);
    return place->second;
  }

  void read_row(Config& row) {
    std::vector<std::string> model_names;
    for (const BaseModel& model : experiment_.models) model_names.push_back(model.name);
    ConfigReader common(common_);
    const std::vector<std::string> of_file = common.texts("models", model_names, "base models of every row");
    ConfigReader keys(row);
    const RowHead head = read_row_head(keys, seeds_, of_file);
    head_ = keys.effective();
    for (const KeySpec& key : keys.keys()) {
      row.erase(key.name);
      if (std::find(elsewhere_.begin(), elsewhere_.end(), key.name) == elsewhere_.end()) elsewhere_.push_back(key.name);
    }
    for (const std::string& name : head.models) {
      if (std::find(model_names.begin(), model_names.end(), name) == model_names.end()) {
        const std::string& own = head_.at("models").origin;
        throw Error("{}: row {}: models: expected base models ({}), found {}{}",
                    own == "default" ? common_.find("models")->origin : own, head.name, fmt::join(model_names, ", "), name,
                    nearest_text(name, model_names));
      }
    }
    for (const BaseModel& model : experiment_.models) {
      if (std::find(head.models.begin(), head.models.end(), model.name) != head.models.end()) read_row_on(head, row, model);
    }
  }

  void read_row_on(const RowHead& head, const Config& row, const BaseModel& model) {
    PlannedRow planned;
    planned.name = head.name;
    planned.label = head.label;
    planned.compare_to = head.compare_to;
    planned.untrained = head.untrained;
    planned.base_model = model.name;
    planned.seeds = seeds_of(head, model);
    planned.head = head_;
    const PlannedRow* source = head.regrade_of.empty() ? nullptr : find_row(experiment_, head.regrade_of, model.name);
    if (!head.regrade_of.empty() && source == nullptr) {
      const std::vector<std::string> names = row_names(experiment_, model.name);
      throw Error("{}: row {}: regrade_of: expected the name of an earlier row ({}), found {}{}", head_.at("regrade_of").origin,
                  head.name, fmt::join(names, ", "), head.regrade_of, nearest_text(head.regrade_of, names));
    }
    Config whole = common_;
    whole.erase("models");
    whole.overlay(row);
    for (const std::string& set : options_.sets) {  // over the row's own keys too
      if (!is_of_file_head(set)) whole.set(set);
    }
    whole.set("model.folder", Config::Value(model.folder), "models." + model.name);
    whole.set("model.identity", Config::Value(model.identity), "models." + model.name);
    scale_row(whole);
    const std::string files = data_identity(whole);
    if (!files.empty()) whole.set("data.identity", Config::Value(files), "data");
    for (const int64_t seed : planned.seeds) {
      Config of_seed = whole;
      if (whole_seeds_ > 0 && std::ssize(planned.eval) >= whole_seeds_) set_fewer_samples(of_seed);
      read_seed(planned, std::move(of_seed), model, source, seed);
    }
    experiment_.rows.push_back(std::move(planned));
  }

  // Of a seed beyond those that are evaluated with all samples.
  void set_fewer_samples(Config& of_seed) const {
    if (other_n_ >= experiment_.n) {
      throw Error("{}: run.other_n: expected fewer than eval.n ({}) beside run.whole_seeds, found {}",
                  experiment_.head.at("run.whole_seeds").origin, experiment_.n, other_n_);
    }
    of_seed.set("eval.n", Config::Value(other_n_), "run.other_n");
  }

  void scale_row(Config& whole) {
    experiment_.scaled.emplace_back();
    if (options_.scale == 1) return;
    const Config based = program_.methods.with_base(whole);
    ConfigReader keys(based);
    const TrainJob train = read_train_job(keys, program_);
    experiment_.scaled.back() = scaled_keys(train.settings, read_eval_job(keys, program_).settings.n, options_.scale);
    for (const ScaledKey& key : experiment_.scaled.back()) whole.set(key.key, Config::Value(key.after), "--scale");
    if (train.settings.evaluated_steps.empty()) return;
    const int64_t before = train.settings.steps, after = experiment_.scaled.back().front().after;  // train.steps
    whole.set("eval.checkpoints", Config::Value(scaled_steps(train.settings.evaluated_steps, before, after)), "--scale");
  }

  void read_seed(PlannedRow& row, Config whole, const BaseModel& model, const PlannedRow* source, int64_t seed) {
    const std::string id = fmt::format("{}/{}/seed{}", folder_name(model.name), folder_name(row.name), seed);
    const std::string folder = experiment_.runs + "/cells/" + id;
    whole.set("train.seed", Config::Value(seed), "seeds");
    whole.set("eval.training_seed", Config::Value(seed), "seeds");
    const Config based = program_.methods.with_base(whole);
    // A key must be read by the training or by the evaluation.
    ConfigReader train_keys(based), eval_keys(based);
    auto train = with_context(fmt::format("row {}", row.name),
                              [&] { return std::make_shared<const TrainJob>(read_train_job(train_keys, program_)); });
    auto eval = std::make_shared<const EvalJob>(read_eval_job(eval_keys, program_));
    const ConfigReader* const readers[] = {&train_keys, &eval_keys};
    finish_all(based, readers, elsewhere_);
    std::vector<std::string> after;
    if (!model.job.empty()) after = {model.job};
    Config::Entries eval_config = eval_keys.effective();
    if (!row.untrained) {
      PlannedJob training;
      training.identity = job_identity(train_keys.effective(), "train");
      training.config = Config(based.name(), train_keys.effective());
      training.job = {"train/" + id,     "train", {"train", folder + "/train/cell.toml", "--out", folder + "/train"},
                      folder + "/train", after,   0};
      after = {training.job.id};
      eval_config["model.folder"] = {folder + "/train/model", "the training"};
      eval_config["model.identity"] = {training.identity, "the training"};
      row.train[seed] = std::move(training);
    }
    if (source != nullptr) {
      const PlannedJob& graded = source->eval.at(seed);
      eval_config["eval.outcomes_folder"] = {graded.job.folder, "regrade_of"};
      eval_config["eval.outcomes_identity"] = {graded.identity, "regrade_of"};
      after = {graded.job.id};
    }
    PlannedJob evaluation;
    evaluation.identity = eval_identity(eval_config);
    evaluation.config = Config(based.name(), std::move(eval_config));
    evaluation.job = {"eval/" + id,     "eval", {"eval", folder + "/eval/cell.toml", "--out", folder + "/eval"},
                      folder + "/eval", after,  0};
    row.eval[seed] = std::move(evaluation);
    note_evaluation(row, *eval, *train);
    if (row.eval_job != nullptr) return;
    row.effective = train_keys.effective();
    row.effective.insert(eval_keys.effective().begin(), eval_keys.effective().end());
    if (!row.untrained && model.job.empty()) add_trial(experiment_, row, based, *train, program_);
    row.train_job = std::move(train);
    row.eval_job = std::move(eval);
  }

  // What the table's footer says must hold for all of it.
  void note_evaluation(const PlannedRow& row, const EvalJob& eval, const TrainJob& train) {
    std::vector<std::string> sets;
    for (const std::string& given : eval.data.test) {
      for (std::string& name : program_.problems.sets_of(given)) sets.push_back(std::move(name));
    }
    Experiment& e = experiment_;
    if (e.sets.empty()) {
      e.sets = sets;
      e.n = eval.settings.n;
      if (e.scale != 1 || e.head.at("table.k").origin == "default") e.k = reachable_k(e.k, e.n);
      e.eval_seed = eval.settings.seed;
      e.temperature = eval.settings.sampling.temperature;
      e.device = train.numerics.numerics.device.str();
      e.grader = eval.settings.graders.front();
      return;
    }
    // Fewer samples are those of run.other_n.
    const bool whole = whole_seeds_ == 0 || std::ssize(row.eval) <= whole_seeds_;
    if (sets != e.sets || (whole && eval.settings.n != e.n) || eval.settings.seed != e.eval_seed ||
        eval.settings.sampling.temperature != e.temperature) {
      throw Error(
          "{}: row {}: expected the same data.test, eval.n, eval.seed and eval.temperature as the other rows of the "
          "table, found others",
          head_.at("name").origin, std::get<std::string>(head_.at("name").value));
    }
    // Rows with graders of their own: each outcome file says which is its main one.
    if (eval.settings.graders.front() != e.grader) e.grader.clear();
  }

  const ExperimentOptions& options_;
  const Program& program_;
  Experiment experiment_;
  Config common_;
  std::vector<int64_t> seeds_;
  std::map<std::string, int64_t> seeds_of_rows_;        // of a rule that adds seeds: by BASE MODEL/ROW
  int64_t whole_seeds_ = 0, other_n_ = 0;               // run.whole_seeds, run.other_n at this scale
  Config::Entries head_;                                // of the row that is being read
  std::vector<std::string> elsewhere_;                  // keys of the file's head and of rows' heads
  std::map<std::string, std::string> file_identities_;  // of data files, by where and what they are
};

}  // namespace

Experiment read_experiment(const std::string& file, const ExperimentOptions& options, const Program& program) {
  return ExperimentReader(file, options, program).read();
}

bool is_experiment(const std::string& file) { return !Config::from_toml_file(file).take_tables("rows").empty(); }

Config::Entries effective_row(const std::string& file, const std::string& row, const ExperimentOptions& options,
                              const Program& program) {
  if (!is_experiment(file)) {
    Config config = Config::from_toml_file(file);
    for (const std::string& set : options.sets) config.set(set);
    if (!config.has("model.folder")) config.set("model.folder", Config::Value(std::string()), "default");
    const Config based = program.methods.with_base(config);
    ConfigReader keys(based);
    read_train_job(keys, program);
    read_eval_job(keys, program);
    keys.finish();
    return keys.effective();
  }
  const Experiment experiment = read_experiment(file, options, program);
  std::vector<std::string> names;
  for (const PlannedRow& planned : experiment.rows) {
    if (row.empty() || planned.name == row) return planned.effective;
    names.push_back(planned.name);
  }
  throw Error("{}: expected a row ({}), found {}{}", file, fmt::join(names, ", "), row, nearest_text(row, names));
}

}  // namespace harness
