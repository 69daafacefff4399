// The verdict table: what may be said of each comparison that was fixed beforehand, and on what conditions, above the numbers
// in every format.
#pragma once

#include <string>
#include <vector>

#include "harness/report/table/summary.h"

namespace harness {

struct VerdictTable {
  std::string caption;
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> lines;  // cells, one a heading
  std::string rest;                             // of a large family: that the others are undecided; else ""
};
// Of a small family every comparison, of a large one those that are decided and those of the average pass@1. No headings where
// no comparison was fixed or none has the seeds to say anything.
VerdictTable verdict_table(const Summary& summary);
// The conditions of the experiment, as many columns; no headings where there are none.
VerdictTable condition_table(const Summary& summary);
// Those of the two that have headings, in the order in which they are shown: conditions first.
std::vector<VerdictTable> verdict_tables(const Summary& summary);

// "better", "worse" ("higher", "lower" in columns that are no pass rates), "equivalent within 1 points", "undecided".
std::string shown_decision(const Column& column, const ComparisonVerdict& verdict, double margin);

// verdicts.csv:
// base_model,row,source,set,metric,against,verdict,seeds,difference,low,high,p_holm,p_equivalence,seeds_to_decide.
std::string verdicts_csv(const Summary& summary);

}  // namespace harness
