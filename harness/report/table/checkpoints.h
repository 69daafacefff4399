// Checkpoints: pass@k of each row after some steps of its trainings (eval.checkpoints), and its difference to compare_to there.
// with.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/columns.h"
#include "harness/stats/compare.h"

namespace harness {

// The steps that any seed of the row was evaluated at; 0: the base model.
std::set<int64_t> checkpoint_steps(const RowResults& row);

// Of the row after a step: the mean over these sets, over the seeds that were evaluated there. Step 0 is one evaluation of the
// base model, whatever the number of seeds.
MeanInterval checkpoint_mean(const RowResults& row, std::span<const std::string> sets, const Quantity& quantity, int64_t step);

struct CheckpointRecord {
  std::string base_model, row, label;
  Column column;  // pass@k of a set or of the average
  int64_t step = 0;
  MeanInterval mean;
  std::string against;  // row that it is compared with, of the same step; "": none, as at step 0
  MeanInterval difference;
};
// For k = 1, 2, 4, ... n and those of the table, by row, column and step; empty where no training was evaluated in between.
std::vector<CheckpointRecord> checkpoint_records(const ExperimentResults& results);

// base_model,row,set,metric,step,value,low,high,seed_deviation,seeds,problems,against,difference,difference_low,
// difference_high,p,paired_seeds lines: rates as fractions, 95 % intervals, p of the one comparison alone.
std::string checkpoints_csv(const std::vector<CheckpointRecord>& records);

// For people: the average (the set, where there is one) at a k of the table, a line a row and a column a step, percent.
struct CheckpointTable {
  std::string caption;
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> lines;
};
std::vector<CheckpointTable> checkpoint_tables(const ExperimentResults& results, const std::vector<CheckpointRecord>& records);
std::string checkpoints_markdown(const std::vector<CheckpointTable>& tables);

}  // namespace harness
