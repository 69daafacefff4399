#include "harness/report/table/table_layout.h"

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"

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

std::string grouped(double value) {
  if (value >= 1e9) return fmt::format("{:.2f}G", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.2f}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

}  // namespace

std::vector<TablePart> table_parts(const Summary& summary) {
  TablePart results{"Pass rates on the test problems, percent", {}, row_groups(summary, true), true, false};
  TablePart rest{
      "Interquartile mean of pass@1, luck (problems right in one or two of n samples), diversity of the answers, pass rate on "
      "the training problems after training and of the "
      "rollouts of its last five steps, verifier (percent of responses) and budget a seed",
      {},
      row_groups(summary, false),
      false,
      true};
  for (size_t c = 0; c < summary.columns.size(); ++c) {
    (summary.columns[c].kind() == ColumnKind::pass ? results : rest).columns.push_back(c);
  }
  return {results, rest};
}

std::string shown_value(const Column& column, double value) {
  if (std::isnan(value)) return "-";
  if (column.percent()) return fmt::format("{:.1f}", 100 * value);
  if (column.kind() == ColumnKind::diversity) return fmt::format("{:.2f}", value);
  if (column.quantity.kind == Quantity::Kind::visits_per_problem) return fmt::format("{:.1f}", value);
  return grouped(value);
}

std::string shown_seeds(const SummaryRow& row) {
  if (!row.source.empty()) return "";
  std::string text = std::to_string(row.seeds_done);
  if (row.seeds_done != row.seeds_planned) text += fmt::format("/{}", row.seeds_planned);
  return row.seeds_whole == row.seeds_done ? text : text + fmt::format(" ({})", row.seeds_whole);
}

std::string full_heading(const Column& column) {
  const std::string heading = column.quantity.heading();
  return column.kind() == ColumnKind::pass ? column.set + " " + heading : heading;
}

std::string shown_spread(const Column& column, const TableEntry& entry) {
  if (column.kind() == ColumnKind::budget || std::isnan(entry.mean.seed_deviation) || entry.mean.seeds < 2) return "";
  return shown_value(column, entry.mean.seed_deviation);
}

std::string mark_text(const TableEntry& entry, const std::string& up, const std::string& down) {
  if (!entry.comparison || entry.comparison->mark() == 0) return "";
  return entry.comparison->mark() > 0 ? up : down;
}

}  // namespace harness
