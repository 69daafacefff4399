#include "harness/experiment/stored_problems.h"

namespace harness {

StoredProblems::StoredProblems(const ProblemCatalog& catalog, const StoredProblemSettings& settings)
    : catalog_(catalog), split_(settings.split) {
  Config config;
  config.set("data.dir", Config::Value(settings.data_dir), "--data");
  config.set("data.seed", Config::Value(static_cast<int64_t>(settings.data_seed)), "--data-seed");
  ConfigReader keys(config);
  source_ = catalog.open(keys);
}

const Problem* StoredProblems::find(const Outcome& outcome) {
  auto set = sets_.find(outcome.set);
  if (set == sets_.end()) {
    std::map<std::string, Problem> problems;
    for (ProblemSet& loaded : source_->load({catalog_.name_of_outcomes(outcome.set)}, split_)) {
      for (Problem& problem : loaded.problems) problems.emplace(problem.id, std::move(problem));
    }
    set = sets_.emplace(outcome.set, std::move(problems)).first;
  }
  const auto problem = set->second.find(outcome.problem);
  return problem == set->second.end() ? nullptr : &problem->second;
}

}  // namespace harness
