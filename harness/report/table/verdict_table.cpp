#include "harness/report/table/verdict_table.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/report/table/table_layout.h"

namespace harness {

namespace {

constexpr size_t kSmallFamily = 24;

std::string with_sign(const Column& column, double value) {
  const std::string text = shown_value(column, value);
  return value > 0 && text != "-" ? "+" + text : text;
}

std::string interval_text(const Column& column, const ComparisonVerdict& verdict) {
  if (!std::isfinite(verdict.low) || !std::isfinite(verdict.high)) return "any";
  return fmt::format("{} to {}", with_sign(column, verdict.low), with_sign(column, verdict.high));
}

std::string wanted_text(const ComparisonVerdict& verdict) {
  if (verdict.decision != Decision::undecided) return "-";
  return verdict.wanted > 0 ? std::to_string(verdict.wanted) : fmt::format("> {}", kMostSeeds);
}

}  // namespace

std::string shown_decision(const Column& column, const ComparisonVerdict& verdict, double margin) {
  switch (verdict.decision) {
    case Decision::better:
      return column.kind() == ColumnKind::pass ? "better" : "higher";
    case Decision::worse:
      return column.kind() == ColumnKind::pass ? "worse" : "lower";
    case Decision::equivalent:
      return fmt::format("equivalent within \u00b1 {:.3g}", 100 * margin);
    case Decision::undecided:
      break;
  }
  return "undecided";
}

VerdictTable verdict_table(const Summary& summary) {
  VerdictTable table;
  std::set<std::string> models;
  for (const SummaryRow& row : summary.rows) models.insert(row.base_model);
  const bool all = summary.comparisons <= static_cast<int64_t>(kSmallFamily);
  int64_t shown = 0, judged = 0;
  for (const SummaryRow& row : summary.rows) {
    for (size_t c = 0; c < row.entries.size(); ++c) {
      if (!row.entries[c].comparison || !row.entries[c].comparison->verdict) continue;
      const ComparisonVerdict& verdict = *row.entries[c].comparison->verdict;
      if (verdict.seeds < 2) continue;
      ++judged;
      const Column& column = summary.columns[c];
      const bool first = column.set == kAverage && column.quantity == Quantity::pass(1);
      if (!all && !first && verdict.decision == Decision::undecided) continue;
      ++shown;
      table.lines.push_back(
          {(models.size() > 1 ? row.base_model + ": " : "") + row.label + " against " + row.entries[c].comparison->against,
           full_heading(column), shown_decision(column, verdict, summary.rule.margin),
           with_sign(column, verdict.difference.value), interval_text(column, verdict), std::to_string(verdict.seeds),
           wanted_text(verdict)});
    }
  }
  if (judged == 0) return {};
  table.caption = fmt::format(
      "Verdicts on the {} comparisons {} ({}): differences in points, with the interval that holds for all "
      "of them together at 95 %",
      summary.comparisons, summary.all_primary ? "of the table" : "fixed beforehand", rule_text(summary.rule));
  table.headings = {"comparison", "of", "verdict", "difference", "interval", "seeds", "seeds to decide"};
  if (shown < summary.comparisons) {
    table.rest = fmt::format("{} comparison{} undecided: verdicts.csv", summary.comparisons - shown,
                             summary.comparisons - shown == 1 ? " is" : "s are");
  }
  return table;
}

std::string verdicts_csv(const Summary& summary) {
  std::string text =
      "base_model,row,source,set,metric,against,verdict,seeds,difference,low,high,p_holm,p_equivalence,seeds_to_decide\n";
  for (const SummaryRow& row : summary.rows) {
    for (size_t c = 0; c < row.entries.size(); ++c) {
      if (!row.entries[c].comparison || !row.entries[c].comparison->verdict) continue;
      const Comparison& comparison = *row.entries[c].comparison;
      const ComparisonVerdict& verdict = *comparison.verdict;
      const Column& column = summary.columns[c];
      text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(row.base_model), csv_field(row.name),
                          csv_field(row.source), csv_field(column.set), column.quantity.name(), csv_field(comparison.against),
                          decision_name(verdict.decision), verdict.seeds, csv_number(verdict.difference.value),
                          csv_number(verdict.low), csv_number(verdict.high), csv_number(verdict.p_value),
                          csv_number(verdict.p_equivalence), verdict.wanted > 0 ? std::to_string(verdict.wanted) : "");
    }
  }
  return text;
}

}  // namespace harness
