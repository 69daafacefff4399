// Export: stored outcomes of a results folder in the layouts of other programs.
#pragma once

#include <cstdint>
#include <string>

namespace harness {

// As lm-evaluation-harness leaves a run with --log_samples: OUT/medsbench__BASE__ROW__seedN/results_DATE.json, its metrics
// pass@k with their standard errors over problems, and samples_TASK_DATE.jsonl, a line a problem: "resps" are all its
// responses, "pass@k" its own, and "correct" the verdicts one by one, so that `results import` with verdict.metric = "correct"
// reads the counts back. A set is a task ("nano/mod": nano-mod); DATE is when the outcomes were written. Returns the number of
// runs. Throws Error for outcomes that are not there.
int64_t export_lm_eval(const std::string& folder, const std::string& out);

// As Every Eval Ever's datastore (arXiv 2606.14516, schema 0.3.0) has it: OUT/data/SET/DEVELOPER/MODEL/UUID.json a run and set,
// and UUID_samples.jsonl, a line a response. The UUID follows from the content. What is not known (the organisation,
// availability of the weights) is "unknown".
int64_t export_every_eval_ever(const std::string& folder, const std::string& out);

}  // namespace harness
