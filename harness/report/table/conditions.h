// Conditions of an experiment, judged on each base model: where one does not hold, verdicts on the guarded rows are withheld.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/columns.h"
#include "harness/report/table/comparisons.h"
#include "harness/verdicts/condition.h"

namespace harness {

struct ConditionFinding {
  enum class State { not_yet, fails, holds };  // not_yet: a planned seed is missing, or there are too few to say anything
  Condition condition;
  std::string base_model;
  State state = State::not_yet;
  int64_t seeds = 0, planned = 0;     // that both rows have, and should have
  ComparisonVerdict alone;            // row - against, at 95 % and 5 % of this one test
  int64_t counts = 0, differing = 0;  // of equal_bytes: problems x seeds, and those whose counts are not equal
};
// "holds", "does not hold", "not yet".
std::string state_name(ConditionFinding::State state);

// On each base model that has both rows, in the order of the file. `tables`: of the results' rows and these columns.
std::vector<ConditionFinding> judge_conditions(const ExperimentResults& results, const std::vector<Column>& columns,
                                               std::span<const RowTables> tables);

// What keeps verdicts on guarded rows of the base model back: "withheld: A does not hold, B cannot be judged yet"; "" if
// nothing.
std::string why_withheld(std::span<const ConditionFinding> findings, const std::string& base_model);

// conditions.csv: base_model,condition,row,against,metric,is,by,seeds,planned_seeds,difference,low,high,p_equivalence,counts,
// differing,finding.
std::string conditions_csv(std::span<const ConditionFinding> findings);

}  // namespace harness
