// results.json: a Summary in the result layout of lm-evaluation-harness, one object a row, so that its tools read ours.
#pragma once

#include <string>

#include "harness/core/json.h"
#include "harness/report/table/summary.h"

namespace harness {

// One row as lm-evaluation-harness writes a results file: results, groups, group_subtasks, configs, versions, n-shot,
// higher_is_better, n-samples, config, git_hash, model_name. Rates are fractions, keys "METRIC,none" and "METRIC_stderr,none".
// What that layout has no place for (seeds, intervals, comparisons, budget) stands under "medsbench".
OrderedJson lm_eval_results(const ExperimentResults& results, const Summary& summary, size_t row);

// {"version", "title", "footer", "rows": [one `lm_eval_results` a row]}.
OrderedJson results_json(const ExperimentResults& results, const Summary& summary);

}  // namespace harness
