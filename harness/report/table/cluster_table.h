// The cluster table: how well clusters of wrong responses match their true errors, by layer choice, over training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"

namespace harness {

// One measure of one choice in one training, as means over the steps of each third of the training (the first third is the
// shorter one where steps do not divide). NaN where a third has none.
struct ClusterRecord {
  std::string base_model, row, choice;
  std::string measure;  // "labels/adjusted_rand", "noise", ...: what stands behind clusters/CHOICE/ in metrics.jsonl
  int64_t seed = 0;
  double thirds[3] = {0, 0, 0};
};

// Of every row whose trainings measured clusters, in the order of the record; choices in the order of a row's first seed.
std::vector<ClusterRecord> cluster_records(const ExperimentResults& results);

// base_model,row,choice,measure,seed,first_third,middle_third,last_third lines; and back. Throws Error for another header or a
// field that is no number.
std::string clusters_csv(const std::vector<ClusterRecord>& records);
std::vector<ClusterRecord> read_clusters_csv(const std::string& text);

// A table a row: choices by measures over the last third, mean over seeds with a 95 % interval (Student's t over seeds), the
// paired difference of each choice to the first, and the adjusted Rand index by thirds.
std::string clusters_markdown(const std::vector<ClusterRecord>& records);

}  // namespace harness
