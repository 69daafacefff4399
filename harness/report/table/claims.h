// Published gains of one row over another against the noise of a results folder, for people.
#pragma once

#include <string>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/columns.h"
#include "harness/verdicts/claim.h"

namespace harness {

// Of a column of pass@k: deviations pooled over the trained rows with two seeds or more, those of differences over the
// comparisons with compare_to. Of a set by itself, which a published set has no match for: pooled over the folder's sets.
// Throws Error where no row has two seeds or no comparison a common two.
MeasuredNoise measured_noise(const ExperimentResults& results, const Column& column);

struct ClaimFile {
  std::string path;          // [[rows]] with name, base_model, source and values."SET METRIC" = number in percent
  std::string row, against;  // rows of it
  std::string results;       // folder whose noise is measured, by its counts.csv
  int64_t seeds = 1;         // runs behind each published number
};
// A line for each base model and column in which both rows have a number. Throws Error where there is none.
std::string claims_text(const ClaimFile& file);

}  // namespace harness
