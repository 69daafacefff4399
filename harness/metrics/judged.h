// JudgedDiversity, JudgedErrors: the paper's two analyses that another model makes of stored responses.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/data/outcome.h"
#include "harness/metrics/error_clusters.h"
#include "harness/metrics/judge.h"

namespace harness {

// The problem of an outcome as the judge reads it (text and right answer); "" where it is not at hand.
using ProblemText = std::function<std::string(const Outcome&)>;

struct JudgedSettings {
  int64_t responses = 160;          // rated together, as in the paper
  int64_t wrong_answers = 800;      // categorised, as in the paper
  int64_t longest_response = 1500;  // bytes of a response that the judge reads
  uint64_t seed = 0;                // key of the choice where there are more
};

// The responses of one training step (or of one policy).
struct JudgedStep {
  std::string name;
  std::vector<Outcome> outcomes;
};

struct JudgedDiversity {
  struct Within {
    std::string step;
    int64_t responses = 0;
    std::optional<int64_t> rating;  // 1 (all alike) to 10; none: the answer held none
  };
  struct Across {
    std::string from, to;
    std::optional<int64_t> rating;  // 1 (the later step's are of the earlier one's kinds) to 10 (all new)
  };
  std::vector<Within> within;
  std::vector<Across> across;  // each step and the next
};

// One question a step, then one for each pair of neighbours (half of the responses from each).
JudgedDiversity judge_diversity(Judge& judge, const std::vector<JudgedStep>& steps, const JudgedSettings& settings,
                                const ProblemText& problem);

// The paper has 11 categories; their list could not be had, so these are the project's own.
const std::vector<std::string>& error_categories();

struct JudgedErrors {
  int64_t judged = 0;                    // wrong answers with a category
  int64_t unreadable = 0;                // those whose answer from the judge held none
  std::map<std::string, double> shares;  // of the judged
  ErrorClusterReport clusters;           // of the clusters of fingerprints with the categories (error_clusters.h)
};

// One question a wrong answer.
JudgedErrors judge_errors(Judge& judge, std::vector<Outcome> outcomes, const std::string& grader,
                          const JudgedSettings& settings, const ProblemText& problem);

OrderedJson to_json(const JudgedDiversity& diversity);
OrderedJson to_json(const JudgedErrors& errors);

}  // namespace harness
