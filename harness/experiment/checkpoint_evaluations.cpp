#include "harness/experiment/checkpoint_evaluations.h"

#include <algorithm>
#include <utility>

#include "harness/core/error.h"
#include "harness/experiment/jobs/identity.h"
#include "harness/experiment/paths.h"

namespace harness {

namespace {

// An evaluation like `own`, of another model.
PlannedJob evaluation_of(const PlannedJob& own, Config::Entries keys, const std::string& id, const std::string& folder,
                         std::vector<std::string> after) {
  PlannedJob planned;
  planned.identity = eval_identity(keys);
  planned.config = Config(own.config.name(), std::move(keys));
  planned.job = {id, "eval", {"eval", folder + "/cell.toml", "--out", folder}, folder, std::move(after), 0};
  return planned;
}

// Of the model that the training keeps after a step.
PlannedJob evaluation_at(const PlannedJob& own, const PlannedJob& training, int64_t step) {
  Config::Entries keys = own.config.entries();
  keys["model.folder"] = {training.job.folder + "/" + kept_model(step), "eval.checkpoints"};
  keys["model.identity"] = {fmt::format("{}, step {}", training.identity, step), "eval.checkpoints"};
  return evaluation_of(own, std::move(keys), fmt::format("{}/step{}", own.job.id, step),
                       fmt::format("{}-step{:06}", own.job.folder, step), {training.job.id});
}

// Of the base model: the one that there is of these keys, or a new one.
PlannedJob evaluation_of_base(const Experiment& experiment, const PlannedRow& row, const PlannedJob& own) {
  const auto model = std::find_if(experiment.models.begin(), experiment.models.end(),
                                  [&](const BaseModel& one) { return one.name == row.base_model; });
  Config::Entries keys = own.config.entries();
  keys["model.folder"] = {model->folder, "models." + model->name};
  keys["model.identity"] = {model->identity, "models." + model->name};
  keys["eval.training_seed"] = {int64_t{0}, "eval.checkpoints"};
  const std::string identity = eval_identity(keys);
  for (const PlannedJob* job : all_jobs(experiment)) {
    if (job->job.kind == "eval" && job->identity == identity) return *job;
  }
  const std::string id = fmt::format("{}/{}/step0", folder_name(row.base_model), folder_name(row.name));
  return evaluation_of(own, std::move(keys), "eval/" + id, experiment.runs + "/cells/" + id,
                       model->job.empty() ? std::vector<std::string>{} : std::vector<std::string>{model->job});
}

}  // namespace

void add_checkpoint_evaluations(Experiment& experiment) {
  for (PlannedRow& row : experiment.rows) {
    const TrainSettings& settings = row.train_job->settings;
    if (row.untrained || settings.evaluated_steps.empty()) continue;
    for (const auto& [seed, own] : row.eval) {
      if (own.config.has("eval.outcomes_folder")) {
        throw Error("{}: row {}: eval.checkpoints: expected none beside regrade_of, found {} steps",
                    row.head.at("regrade_of").origin, row.name, settings.evaluated_steps.size());
      }
      for (const int64_t step : settings.evaluated_steps) {
        row.checkpoints[seed][step] = step == settings.steps ? own
                                      : step == 0            ? evaluation_of_base(experiment, row, own)
                                                             : evaluation_at(own, row.train.at(seed), step);
      }
    }
  }
}

}  // namespace harness
