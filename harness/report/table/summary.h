// Summary: the result table as numbers, with its statistics, before it is rendered in any format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/intervals.h"

namespace harness {

enum class ColumnKind { pass, aggregate, diversity, train, verifier, budget };

struct Column {
  std::string set;     // problem set; kAverage: mean over the sets
  std::string metric;  // "pass@1", "distinct_answers", "train_pass_rate", "tokens_generated", ...
  ColumnKind kind = ColumnKind::pass;
  [[nodiscard]] bool percent() const {
    return kind == ColumnKind::pass || kind == ColumnKind::aggregate || kind == ColumnKind::train ||
           kind == ColumnKind::verifier;
  }
  [[nodiscard]] std::string heading() const;  // "pass@1", "distinct answers", ...
};
inline constexpr const char* kAverage = "average";

// A row against the row named in compare_to, paired by seed and problem.
struct Comparison {
  std::string against;
  MeanInterval difference;                     // 95 %, of this comparison alone
  double adjusted_p = 1;                       // Holm, over all comparisons of the table
  double adjusted_low = 0, adjusted_high = 0;  // interval at the level that Holm's step gives this comparison
  double improvement = 0;                      // probability of improvement over seeds, mean over sets (arXiv 2108.13264)
  int mark = 0;                                // +1, -1 where the adjusted interval excludes zero, else 0
};

struct SummaryCell {
  MeanInterval mean;          // value NaN: empty cell
  double sampling_error = 0;  // NaN where it does not apply
  std::optional<Comparison> comparison;
  bool best = false;  // bold
};

struct SummaryRow {
  std::string base_model, name, label;
  int64_t seeds_done = 0, seeds_planned = 0;
  std::vector<SummaryCell> cells;  // one a column
  std::string source;              // "": a row of ours; else a published row and where it comes from
};

struct Summary {
  std::string title;
  std::vector<Column> columns;
  std::vector<SummaryRow> rows;      // in groups of one base model, in the order they are first named
  int64_t comparisons = 0;           // size of Holm's family
  std::vector<std::string> primary;  // its columns; {}: all that are compared
  bool marked = false;               // any row has the seeds that a mark needs
  std::vector<std::string> footer;   // plain sentences
};

Summary summarise(const ExperimentResults& results);

// The value as a table shows it: "62.3" (percent), "8.1", "1.9M"; "-" where there is none.
std::string shown_value(const Column& column, double value);
// Label of the row with "2/3 seeds" where some failed.
std::string shown_label(const SummaryRow& row);

}  // namespace harness
