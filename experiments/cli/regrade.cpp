// regrade: stored outcomes graded anew by another grader; nothing is generated.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "datasets/catalog.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/data/outcome.h"
#include "harness/report/results/experiment_record.h"
#include "harness/reward/grader.h"

namespace experiments {

namespace {

struct RegradeChoice {
  std::string folder, grader, data_dir, split = "test";
  uint64_t data_seed = 0;
  bool main = false;
};

using ProblemsById = std::map<std::string, harness::Problem>;

// The problems of a set as outcomes name it: "prec" is "nano/prec" in the catalog.
ProblemsById problems_of(const std::string& set, const RegradeChoice& choice) {
  datasets::LoadSettings settings;
  settings.data_dir = choice.data_dir;
  settings.data_seed = choice.data_seed;
  std::string name = set;
  for (const std::string& known : datasets::set_names()) {
    if (known == "nano/" + set) name = known;
  }
  ProblemsById problems;
  for (harness::Problem& problem : datasets::load_set(name, settings, choice.split).problems) {
    problems.emplace(problem.id, std::move(problem));
  }
  return problems;
}

class Regrader {
 public:
  explicit Regrader(const RegradeChoice& choice) : choice_(choice), grader_(harness::make_grader(choice.grader)) {}

  void regrade_file(const std::string& path) {
    harness::OutcomeFile file = harness::read_outcomes(path);
    const std::unique_ptr<harness::Grader> known = harness::make_grader(file.main_grader);
    for (harness::Outcome& outcome : file.outcomes) {
      const harness::Problem& problem = find(outcome);
      // The stored grader on the same problem must come to the stored verdict, or the problems are not those answered.
      if (known->grade(outcome.text, problem).correctness != outcome.verdicts.at(file.main_grader)) {
        throw harness::Error(
            "{}: {}, {}, sample {}: expected the stored verdict of {} again, found another; give the --data and "
            "--data-seed of the evaluation",
            path, outcome.set, outcome.problem, outcome.sample, file.main_grader);
      }
      const harness::Correctness before = outcome.verdicts.at(file.main_grader);
      const harness::Verdict verdict = grader_->grade(outcome.text, problem);
      outcome.verdicts[choice_.grader] = verdict.correctness;
      ++graded_;
      changed_ += outcome.verdicts[choice_.grader] == before ? 0 : 1;
    }
    harness::write_outcomes(path, file);
  }

  [[nodiscard]] int64_t graded() const { return graded_; }
  [[nodiscard]] int64_t changed() const { return changed_; }

 private:
  const harness::Problem& find(const harness::Outcome& outcome) {
    const auto [set, added] = sets_.try_emplace(outcome.set);
    if (added) set->second = problems_of(outcome.set, choice_);
    const auto problem = set->second.find(outcome.problem);
    if (problem == set->second.end()) {
      throw harness::Error("{}: expected the problem {} of the stored outcomes, found none", outcome.set, outcome.problem);
    }
    return problem->second;
  }

  const RegradeChoice& choice_;
  std::unique_ptr<harness::Grader> grader_;
  std::map<std::string, ProblemsById> sets_;
  int64_t graded_ = 0, changed_ = 0;
};

int regrade(const RegradeChoice& choice) {
  harness::ExperimentRecord record = harness::read_experiment_record(choice.folder);
  Regrader regrader(choice);
  for (const harness::RowRecord& row : record.rows) {
    for (const harness::SeedRecord& seed : row.records) {
      if (!seed.failed.empty()) continue;
      harness::check_interrupt();
      regrader.regrade_file((std::filesystem::path(choice.folder) / seed.outcomes).lexically_normal().string());
    }
  }
  if (choice.main) {
    record.grader = choice.grader;
    harness::write_experiment_record(choice.folder, record);
  }
  fmt::print(stderr, "{} responses graded by {}, {} verdicts differ; `medsbench table {}` writes the tables\n",
             regrader.graded(), choice.grader, regrader.changed(), choice.folder);
  return 0;
}

}  // namespace

void add_regrade(CLI::App& app, Chosen& chosen) {
  const auto choice = std::make_shared<RegradeChoice>();
  CLI::App* verb = app.add_subcommand("regrade", "grades stored outcomes anew, generating nothing");
  verb->add_option("folder", choice->folder, "results folder")->required();
  verb->add_option("--grader", choice->grader, "recipe, limo, math or last_number")
      ->required()
      ->check(CLI::IsMember(harness::grader_names()));
  verb->add_flag("--main", choice->main, "tables use this grader from now on");
  verb->add_option("--data", choice->data_dir, "where published sets lie");
  verb->add_option("--data-seed", choice->data_seed, "data seed of generated sets");
  verb->add_option("--split", choice->split, "split that was evaluated");
  verb->callback([&chosen, choice] { chosen = [choice] { return regrade(*choice); }; });
}

}  // namespace experiments
