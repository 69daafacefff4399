// The columns of a result table, and the quantities of a seed that are no means over problems.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/summary.h"

namespace harness {

// Each set and the average at each k, diversity, pass rate on the training problems, verifier columns, budget. The column of
// graders that disagree is there only where responses were graded twice.
std::vector<Column> summary_columns(const ExperimentResults& results);

// tokens_generated, responses_generated, responses_kept, updates, visits_per_problem, train_pass_rate; absent where the policy
// was not trained or nothing is known.
std::optional<double> seed_value(const CellResults& cell, bool trained, const std::string& metric);

}  // namespace harness
