// How a Summary is laid out on a page, whatever the format: its parts, groups of rows, and the text of an entry.
#pragma once

#include <string>
#include <vector>

#include "harness/report/table/summary.h"

namespace harness {

struct RowGroup {
  std::string base_model;
  std::vector<size_t> rows;  // of Summary::rows
};

// One table of the page: results (pass@k by set), then everything else.
struct TablePart {
  std::string caption;
  std::vector<size_t> columns;  // of Summary::columns
  std::vector<RowGroup> groups;
  bool by_set = false;  // headings in two lines, sets over metrics
  bool last = false;
};
std::vector<TablePart> table_parts(const Summary& summary);

// The value as a table shows it: "62.3" (percent), "8.1", "1.9M"; "-" where there is none.
std::string shown_value(const Column& column, double value);
// Number of the row's seeds, "2/3" where some failed, "10 (5)" where five have all samples; "" for a published row.
std::string shown_seeds(const SummaryRow& row);
// "prec pass@1"; the average's columns that are no pass@k need no set.
std::string full_heading(const Column& column);
// Standard deviation over the seeds; "" for fewer than two seeds and for budgets.
std::string shown_spread(const Column& column, const TableEntry& entry);
// `up` or `down` where the comparison has a mark, else "".
std::string mark_text(const TableEntry& entry, const std::string& up, const std::string& down);

}  // namespace harness
