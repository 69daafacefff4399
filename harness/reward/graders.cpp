#include "harness/reward/graders.h"

namespace harness {

Graders::Graders(const std::vector<std::string>& names) {
  for (const std::string& name : names) graders_.push_back(make_grader(name));
}

void Graders::grade(Outcome& outcome, const Problem& problem) const {
  outcome.verdicts.clear();
  for (const auto& grader : graders_) {
    const Verdict verdict = grader->grade(outcome.text, problem);
    outcome.verdicts[grader->name()] = to_string(verdict.correctness);
    if (grader != graders_.front()) continue;
    outcome.extracted = verdict.extracted;
    outcome.normalised = verdict.normalised;
    outcome.error_label = error_label(verdict, problem);
  }
}

}  // namespace harness
