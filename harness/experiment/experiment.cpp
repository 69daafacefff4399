#include "harness/experiment/experiment.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "harness/core/error.h"
#include "harness/experiment/jobs/folder.h"

namespace harness {

std::vector<const PlannedJob*> all_jobs(const Experiment& experiment) {
  std::vector<const PlannedJob*> jobs;
  for (const PlannedJob& job : experiment.base_jobs) jobs.push_back(&job);
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, job] : row.train) jobs.push_back(&job);
    for (const auto& [seed, job] : row.eval) jobs.push_back(&job);
  }
  std::set<std::string> known;
  for (const PlannedJob* job : jobs) known.insert(job->job.id);
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, steps] : row.checkpoints) {
      for (const auto& [step, job] : steps) {
        if (known.insert(job.job.id).second) jobs.push_back(&job);
      }
    }
  }
  return jobs;
}

bool is_wanted(const BaseTrial& trial, const Experiment& experiment) {
  return std::any_of(experiment.rows.begin(), experiment.rows.end(), [&](const PlannedRow& row) {
    const bool of_it =
        row.base_model == trial.base_model && std::find(trial.rows.begin(), trial.rows.end(), row.name) != trial.rows.end();
    return of_it &&
           std::any_of(row.train.begin(), row.train.end(), [](const auto& entry) { return !readable_result_of(entry.second); });
  });
}

std::vector<const PlannedJob*> trials_and_jobs(const Experiment& experiment) {
  std::vector<const PlannedJob*> jobs;
  for (const BaseTrial& trial : experiment.trials) {
    if (is_wanted(trial, experiment) || readable_result_of(trial.job)) jobs.push_back(&trial.job);
  }
  const std::vector<const PlannedJob*> sweep = all_jobs(experiment);
  jobs.insert(jobs.end(), sweep.begin(), sweep.end());
  return jobs;
}

std::optional<Json> result_of(const PlannedJob& planned) {
  std::optional<Json> done = read_done(planned.job.folder);
  if (!done || done->value("identity", "") != planned.identity) return std::nullopt;
  if (planned.job.kind != "eval") return done;
  if (integer_field(*done, "n") < std::get<int64_t>(planned.config.find("eval.n")->value)) return std::nullopt;
  if (!std::filesystem::exists(planned.job.folder + "/outcomes.jsonl.zst")) return std::nullopt;  // deleted: made anew
  return done;
}

std::optional<Json> readable_result_of(const PlannedJob& planned) {
  try {
    return result_of(planned);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace harness
