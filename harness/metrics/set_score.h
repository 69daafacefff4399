// SetScore: what `medsbench score` says of the outcomes of one problem set, from them alone.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/data/outcome.h"
#include "harness/metrics/diversity.h"
#include "harness/metrics/quantity.h"
#include "harness/stats/bootstrap.h"

namespace harness {

struct ScoreSettings {
  std::vector<int64_t> ks;                      // empty: 1, 2, 4, ... <= n
  uint64_t seed = 0;                            // key of the bootstrap and of the maj@k subsets
  std::vector<double> taus = {0.5, 0.75, 1.0};  // thresholds of G-pass@k
};

struct SetScore {
  int64_t n = 0;                      // samples a (seed, problem): the smallest
  int64_t n_largest = 0;              // differs from n only where there are different numbers of samples
  int64_t seeds = 0, problems = 0;    // different ones
  std::vector<int64_t> undefined_ks;  // those asked for that some (seed, problem) has too few samples for
  // pass@k, maj@k and G-pass@k at each threshold: means over seeds and problems with their crossed bootstrap intervals; one
  // seed: intervals over problems only.
  std::map<Quantity, Estimate> means;
  double pass_rate = 0;  // pass@1, whatever k was asked for
  double iqm = 0;        // interquartile mean of the (seed, problem) means
  DiversityReport diversity;
};

// Scores the outcomes of one set (any number of seeds; their order is free but for samples of one number, which count in the
// order given). Throws Error for no outcome, one without a verdict of `grader`, and a k below 1.
SetScore score_outcomes(std::span<const Outcome> outcomes, const std::string& grader, const ScoreSettings& settings = {});

// The object that `medsbench score` prints.
OrderedJson to_json(const SetScore& score);

}  // namespace harness
