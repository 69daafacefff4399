#include "harness/report/table/table_layout.h"

#include <algorithm>
#include <cmath>

namespace harness {

namespace {

std::vector<RowGroup> row_groups(const Summary& summary, bool published) {
  std::vector<RowGroup> groups;
  for (size_t i = 0; i < summary.rows.size(); ++i) {
    const SummaryRow& row = summary.rows[i];
    if (!published && !row.source.empty()) continue;
    if (groups.empty() || groups.back().base_model != row.base_model) groups.push_back({row.base_model, {}});
    groups.back().rows.push_back(i);
  }
  return groups;
}

}  // namespace

std::vector<TablePart> table_parts(const Summary& summary) {
  TablePart results{"Pass rates on the test problems, percent", {}, row_groups(summary, true), true, false};
  TablePart rest{
      "Interquartile mean of pass@1, diversity of the answers, pass rate on the training problems, verifier (percent of "
      "responses) and budget a seed",
      {},
      row_groups(summary, false),
      false,
      true};
  for (size_t c = 0; c < summary.columns.size(); ++c) {
    (summary.columns[c].kind == ColumnKind::pass ? results : rest).columns.push_back(c);
  }
  return {results, rest};
}

std::string full_heading(const Column& column) {
  return column.kind == ColumnKind::pass ? column.set + " " + column.heading() : column.heading();
}

std::string shown_spread(const Column& column, const SummaryCell& cell) {
  if (column.kind == ColumnKind::budget || std::isnan(cell.mean.seed_deviation) || cell.mean.seeds < 2) return "";
  return shown_value(column, cell.mean.seed_deviation);
}

std::string mark_text(const SummaryCell& cell, const std::string& up, const std::string& down) {
  if (!cell.comparison || cell.comparison->mark == 0) return "";
  return cell.comparison->mark > 0 ? up : down;
}

}  // namespace harness
