// Judging: the two analyses that another model makes of stored responses, over any OpenAI-compatible endpoint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/data/problem_catalog.h"
#include "harness/experiment/stored_problems.h"
#include "harness/metrics/judged.h"

namespace harness {

struct JudgingOptions {
  std::string analysis;            // "diversity" (within and across steps) or "errors" (11 categories)
  std::vector<std::string> paths;  // outcome files, evaluations' folders, or a training's folder (its validations)
  std::string endpoint;            // URL up to .../v1; the key comes from MEDSBENCH_JUDGE_KEY or OPENAI_API_KEY
  std::string grader;              // whose verdicts say what is wrong; "": the main one
  StoredProblemSettings problems;
  JudgeSettings judge{"", "runs/judge"};
  JudgedSettings judged;
  int64_t timeout = 120;  // seconds without a byte after which an attempt is given up
};

struct Judging {
  OrderedJson result;
  int64_t sent = 0, cached = 0;  // questions sent to the endpoint, and answered from stored answers
};

// Throws Error for files that are no outcomes, and where the endpoint refuses.
Judging judge_responses(const JudgingOptions& options, const ProblemCatalog& catalog);

}  // namespace harness
