// StoredRun: the evaluation of one row and seed of a results folder, as other programs' layouts want it: one policy a run.
#pragma once

#include <ctime>
#include <functional>
#include <map>
#include <string>

#include "harness/data/outcome.h"
#include "harness/data/problem.h"
#include "harness/metrics/problem_counts.h"
#include "harness/report/results/experiment_results.h"

namespace harness {

struct StoredRun {
  ExperimentResults results;  // this row with this seed alone
  OutcomeFile file;
  std::time_t time = 0;                                             // when it was written
  std::map<std::string, std::map<std::string, Samples>> samples;    // set -> problem -> the samples that count, by number
  std::map<std::pair<std::string, std::string>, Problem> problems;  // by set and id, where the folder has them

  [[nodiscard]] const RowResults& row() const { return results.rows.front(); }
  [[nodiscard]] int64_t seed() const { return row().seeds.front().seed; }
  [[nodiscard]] std::string grader() const { return row().seeds.front().counts.main_grader; }
  // Text and right answer; empty ones where they are not known.
  [[nodiscard]] Problem problem(const std::string& set, const std::string& id) const;
  // "DEVELOPER/MODEL": "medsbench/BASE__ROW__seedN"; of an untrained model its own, "medsbench/BASE__ROW" where that is none.
  [[nodiscard]] std::string model_id() const;
};

// Every run that has not failed, in the order of the table. Returns their number. Throws Error as `table` does where outcomes
// are missing.
int64_t for_each_run(const std::string& folder, const std::function<void(const StoredRun&)>& visit);

}  // namespace harness
