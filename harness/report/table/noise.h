// Noise: what the uncertainty of each pass@k and of each difference comes from, and what would lessen it at the least cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/report/table/summary.h"
#include "harness/stats/components.h"

namespace harness {

// One value of a row, or its difference to the row that it is compared with.
struct NoiseRecord {
  std::string base_model, row, label;
  std::string against, against_label;  // "": the value
  Column column;
  double samples = 0;  // a problem; the harmonic mean where seeds have different numbers
  MeanInterval mean;   // as in the table
  VarianceParts parts;
  BestSamples best;  // of pass@1, costs in generated tokens; of a difference both rows are trained and sampled
  Pairing pairing;   // of a difference to a trained row
};

// Of every row of ours and every comparison, in each column of pass@k, in the order of the table; those without a value left
// out.
std::vector<NoiseRecord> noise_records(const ExperimentResults& results, const Summary& summary);

// base_model,row,against,set,metric,samples,seeds,problems,standard_error, then the parts as variances of the mean (fractions
// squared; seed, problem, seed_problem, sampling), their shares and the shares' standard errors, best_n, best_n_gain, the
// correlation of paired seeds' means with its 95 % interval, and 1 / Pairing::variance_ratio (pairing_worth) with its own.
std::string noise_csv(const std::vector<NoiseRecord>& records);

inline constexpr const char* kNoiseCaption =
    "Shares of the variance of each value and difference by where it comes from, percent, \u00b1 their standard error";
// What the columns mean, in plain sentences.
std::string noise_note();
// The records of the averages alone (of the set, where there is one) and a table of them: heads and, for a record, cells.
std::vector<NoiseRecord> shown_noise(const std::vector<NoiseRecord>& records);
std::vector<std::string> noise_headings();
std::vector<std::string> noise_cells(const NoiseRecord& record);
std::string noise_markdown(const std::vector<NoiseRecord>& records);

}  // namespace harness
