#include "harness/experiment/regrade.h"

#include <filesystem>
#include <memory>

#include "harness/core/error.h"
#include "harness/report/results/experiment_record.h"
#include "harness/reward/all_graders.h"

namespace harness {

namespace {

void regrade_file(const std::string& path, const Grader& grader, StoredProblems& problems, Regraded& done) {
  OutcomeFile file = read_outcomes(path);
  const std::unique_ptr<Grader> known = make_grader(file.main_grader);
  for (Outcome& outcome : file.outcomes) {
    const Problem* problem = problems.find(outcome);
    if (problem == nullptr) {
      throw Error("{}: expected the problem {} of the stored outcomes, found none", outcome.set, outcome.problem);
    }
    const Correctness before = outcome.verdicts.at(file.main_grader);
    if (known->grade(outcome.text, *problem).correctness != before) {
      throw Error(
          "{}: {}, {}, sample {}: expected the stored verdict of {} again, found another; give the --data and "
          "--data-seed of the evaluation",
          path, outcome.set, outcome.problem, outcome.sample, file.main_grader);
    }
    const Correctness after = grader.grade(outcome.text, *problem).correctness;
    outcome.verdicts[grader.name()] = after;
    ++done.graded;
    done.changed += after == before ? 0 : 1;
  }
  write_outcomes(path, file);
}

}  // namespace

Regraded regrade(const RegradeOptions& options, const ProblemCatalog& catalog) {
  ExperimentRecord record = read_experiment_record(options.folder);
  const std::unique_ptr<Grader> grader = make_grader(options.grader);
  StoredProblems problems(catalog, options.problems);
  Regraded done;
  for (const RowRecord& row : record.rows) {
    for (const SeedRecord& seed : row.records) {
      if (!seed.failed.empty()) continue;
      check_interrupt();
      regrade_file((std::filesystem::path(options.folder) / seed.outcomes).lexically_normal().string(), *grader, problems,
                   done);
    }
  }
  if (options.main) {
    record.grader = options.grader;
    write_experiment_record(options.folder, record);
  }
  return done;
}

}  // namespace harness
