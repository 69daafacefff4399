// Summary: the result table as numbers, with its statistics, before it is rendered in any format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/columns.h"
#include "harness/stats/compare.h"
#include "harness/stats/undefined.h"

namespace harness {

// A row against the row named in compare_to, paired by seed and problem.
struct Comparison {
  std::string against;
  MeanInterval difference;  // 95 %, of this comparison alone
  // Holm's, and the interval at the level that his step gives this comparison; undefined for one outside the family.
  double adjusted_p = kUndefined, adjusted_low = kUndefined, adjusted_high = kUndefined;
  double improvement = 0;  // probability of improvement over seeds, mean over sets (arXiv 2108.13264)
  int mark = 0;            // +1, -1 where the adjusted interval excludes zero, else 0
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
  std::vector<TableEntry> entries;  // one a column
  std::string source;               // "": a row of ours; else a published row and where it comes from
};

struct Summary {
  std::string title;
  std::vector<Column> columns;
  std::vector<SummaryRow> rows;     // in groups of one base model, in the order they are first named
  int64_t comparisons = 0;          // size of Holm's family; 0: no row has the seeds that a mark needs
  int64_t leads = 0;                // size of the family of bold: best rows against the second best
  std::vector<std::string> footer;  // plain sentences
};

// Throws Error for a primary column that is none and for an unreadable file of published numbers.
Summary summarise(const ExperimentResults& results);

}  // namespace harness
