#include "harness/experiment/trial.h"

#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "harness/core/error.h"
#include "harness/data/outcome.h"
#include "harness/data/problem_file.h"
#include "harness/data/response_tally.h"
#include "harness/experiment/jobs/identity.h"
#include "harness/experiment/jobs/settings.h"
#include "harness/experiment/paths.h"

namespace harness {

void add_trial(Experiment& experiment, const PlannedRow& row, Config config, const TrainJob& train, const Program& program) {
  if (experiment.trial.problems == 0) return;
  const SamplingSettings& sampling = train.settings.sampling;
  const auto set = [&](const char* key, Config::Value value) { config.set(key, std::move(value), "trial"); };
  set("data.test", train.data.train);
  set("eval.trial_problems", experiment.trial.problems);
  set("eval.n", experiment.trial.samples);
  set("eval.training_seed", int64_t{0});
  set("eval.max_new_tokens", sampling.max_new_tokens);
  set("eval.temperature", sampling.temperature);
  set("eval.top_p", sampling.top_p);
  set("eval.top_k", sampling.top_k);
  set("eval.graders", std::vector<std::string>{train.settings.grader});
  set("eval.train_samples", int64_t{0});
  set("eval.fingerprints", false);
  set("eval.store_ids", false);
  ConfigReader keys(config);
  read_eval_job(keys, program);
  PlannedJob job;
  job.identity = eval_identity(keys.effective());
  for (BaseTrial& other : experiment.trials) {
    if (other.job.identity == job.identity) return other.rows.push_back(row.name);
  }
  const std::string id = folder_name(row.base_model) + "/" + folder_name(row.name);
  const std::string folder = experiment.runs + "/tried/" + id;
  job.config = Config(config.name(), keys.effective());
  job.job = {"try/" + id, "eval", {"eval", folder + "/cell.toml", "--out", folder}, folder, {}, 0};
  experiment.trials.push_back({std::move(job), row.base_model, {row.name}});
}

std::string trial_text(const BaseTrial& trial, double share) {
  const std::string& folder = trial.job.job.folder;
  const OutcomeFile file = read_outcomes(folder + "/outcomes.jsonl.zst");
  const auto problems = read_problems(folder + "/" + kProblemFileName);
  ResponseTally tally;
  for (const Outcome& outcome : file.outcomes) {
    const auto found = problems.find({outcome.set, outcome.problem});
    if (found == problems.end()) throw Error("{}: expected the problem {}, found none", folder, outcome.problem);
    tally.add(found->second, outcome.text, outcome.verdict(file.main_grader), outcome.extracted.has_value(),
              outcome.finish == "stop");
  }
  const std::string tried =
      fmt::format("{}: tried on {} training problems: {}", trial.base_model, problems.size(), tally.counts());
  if (tally.share_right() >= share) return tried + "\n";
  return fmt::format(
      "{}\nwarning: fewer than {:.3g} % are right (run.try_below): {} will find little to learn from. What helps: {}. "
      "filter.on_starved = \"partial\" or \"skip\" goes on where groups are missing\n{}",
      tried, 100 * share, fmt::join(trial.rows, ", "), tally.advice(), tally.examples());
}

}  // namespace harness
