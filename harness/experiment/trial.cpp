#include "harness/experiment/trial.h"

#include <fmt/ranges.h>

#include "harness/core/error.h"
#include "harness/data/outcome.h"
#include "harness/data/problem_file.h"
#include "harness/data/response_tally.h"

namespace harness {

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
