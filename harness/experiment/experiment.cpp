#include "harness/experiment/experiment.h"

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
  return jobs;
}

std::optional<Json> result_of(const PlannedJob& planned) {
  std::optional<Json> done = read_done(planned.job.folder);
  if (!done || done->value("identity", "") != planned.identity) return std::nullopt;
  if (planned.job.kind != "eval") return done;
  if (integer_field(*done, "n") < std::get<int64_t>(planned.config.find("eval.n")->value)) return std::nullopt;
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
