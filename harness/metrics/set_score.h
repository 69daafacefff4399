// SetScore: everything a table says of one row on one problem set, from its stored outcomes alone.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/data/outcome.h"
#include "harness/metrics/diversity.h"
#include "harness/stats/bootstrap.h"

namespace harness {

struct ScoreSettings {
  std::vector<int64_t> ks;     // empty: 1, 2, 4, ... <= n
  uint64_t seed = 0;           // key of the bootstrap and of the maj@k subsets
  int64_t replicates = 10000;  // of the bootstrap; 0: no intervals (low and high are NaN)
  int64_t majority_subsets = 1000;
  std::vector<double> taus = {0.5, 0.75, 1.0};  // thresholds of G-pass@k
  bool diversity = true;                        // false: the diversity report stays empty
};

// What the samples of one problem by one training seed came to.
struct CellScore {
  int64_t seed = 0;
  std::string problem;
  int64_t n = 0;          // samples
  int64_t c = 0;          // right by the grader
  int64_t no_answer = 0;  // samples without an extracted answer
  int64_t undecided = 0;
  int64_t truncated = 0;    // finish "length"
  std::vector<double> maj;  // one a k of SetScore::ks
  [[nodiscard]] double mean() const { return static_cast<double>(c) / static_cast<double>(n); }
};

struct SetScore {
  std::string grader;
  int64_t n = 0;                          // samples a cell: the smallest
  int64_t n_largest = 0;                  // differs from n only where cells have different numbers of samples
  std::vector<int64_t> seeds;             // sorted
  std::vector<std::string> problems;      // sorted
  std::vector<CellScore> cells;           // seed by seed, each in the order of `problems`; absent cells are left out
  std::vector<int64_t> ks;                // those asked for with k <= n
  std::vector<int64_t> undefined_ks;      // those asked for that some cell has too few samples for
  std::map<int64_t, Estimate> pass_at_k;  // crossed bootstrap intervals (docs/evaluation.md); one seed: over problems only
  std::map<int64_t, Estimate> maj_at_k;
  std::map<int64_t, double> pass_gain;                        // pass@k - pass@1
  std::map<int64_t, std::map<double, Estimate>> g_pass_at_k;  // by k and threshold (arXiv 2412.13147)
  double iqm = 0;                                             // interquartile mean of the (seed, problem) means
  double no_answer_share = 0;                                 // of all samples
  double undecided_share = 0;
  double truncated_share = 0;
  int64_t tokens = 0;  // of all samples together
  DiversityReport diversity;
};

// Scores the outcomes of one set (any number of seeds; their order is free but for the samples of a cell, whose order is that
// of the samples). Throws Error for no outcome, or one without a verdict of `grader`.
SetScore score_outcomes(std::span<const Outcome> outcomes, const std::string& grader, const ScoreSettings& settings = {});

// pass@k of each cell as a table [seeds, problems, 1], NaN where a cell is absent: what the comparisons of harness/stats take.
CellTable pass_table(const SetScore& score, int64_t k);

// The object that `medsbench score` prints.
OrderedJson to_json(const SetScore& score);

}  // namespace harness
