// Summary: the result table as numbers, with its statistics, before it is rendered in any format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/columns.h"
#include "harness/report/table/conditions.h"
#include "harness/stats/compare.h"
#include "harness/stats/undefined.h"
#include "harness/verdicts/verdicts.h"

namespace harness {

// A row against the row named in compare_to, paired by seed and problem, over all seeds that both have.
struct Comparison {
  std::string against;
  MeanInterval difference;                   // 95 %, of this comparison alone
  double improvement = 0;                    // probability of improvement over seeds, mean over sets (arXiv 2108.13264)
  std::optional<ComparisonVerdict> verdict;  // of one fixed beforehand
  std::string withheld;                      // why the verdict is not printed (conditions.h); "": it is
  // +1 where it is better, -1 where it is worse, else 0; of a withheld verdict 0.
  [[nodiscard]] int mark() const;
};

struct TableEntry {
  MeanInterval mean;                   // value undefined: empty entry
  double sampling_error = kUndefined;  // of pass@k; undefined where it does not apply
  std::optional<Comparison> comparison;
  bool best = false;  // bold
};

struct SummaryRow {
  std::string base_model, name, label;
  int64_t seeds_done = 0, seeds_planned = 0;
  int64_t seeds_whole = 0;          // of those done, with the table's number of samples
  std::vector<TableEntry> entries;  // one a column
  std::string source;               // "": a row of ours; else a published row and where it comes from
};

struct Summary {
  std::string title;
  std::vector<Column> columns;
  std::vector<SummaryRow> rows;  // in groups of one base model, in the order they are first named
  int64_t comparisons = 0;       // size of Holm's family; 0: no row has the seeds that a mark needs
  bool all_primary = true;       // the family is every comparison of the table
  SeedRule rule;
  std::vector<Look> looks;  // of a rule that adds seeds; `decided` counts the family in the order of rows and columns
  std::vector<ConditionFinding> conditions;
  std::vector<std::string> guarded;  // rows whose verdicts are withheld while a condition of their base model does not hold
  int64_t leads = 0;                 // size of the family of bold: best rows against the second best
  std::vector<std::string> footer;   // plain sentences
};

// Throws Error for a primary column that is none and for an unreadable file of published numbers.
Summary summarise(const ExperimentResults& results);

}  // namespace harness
