#include "harness/report/table/verdict_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

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

std::string wanted_text(const Comparison& comparison) {
  const ComparisonVerdict& verdict = *comparison.verdict;
  if (verdict.decision != Decision::undecided || !comparison.withheld.empty()) return "-";
  return verdict.wanted > 0 ? std::to_string(verdict.wanted) : fmt::format("> {}", kMostSeeds);
}

// "worse by 5", "equivalent within ± 1", "equal bytes".
std::string asked_text(const Condition& condition, const Column& column, double margin) {
  if (condition.is == Condition::Is::equivalent) return fmt::format("equivalent within \u00b1 {:.3g}", 100 * margin);
  std::string text = condition_name(condition.is);
  std::replace(text.begin(), text.end(), '_', ' ');
  return condition.by > 0 ? fmt::format("{} by {:.3g}", text, condition.by * (column.percent() ? 100 : 1)) : text;
}

// Base models before the names of rows, where the table has several.
bool names_base_models(const Summary& summary) {
  return std::any_of(summary.rows.begin(), summary.rows.end(),
                     [&](const SummaryRow& row) { return row.base_model != summary.rows.front().base_model; });
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
  const bool several = names_base_models(summary);
  const bool all = summary.comparisons <= static_cast<int64_t>(kSmallFamily);
  int64_t shown = 0, judged = 0;
  for (const SummaryRow& row : summary.rows) {
    for (size_t c = 0; c < row.entries.size(); ++c) {
      if (!row.entries[c].comparison || !row.entries[c].comparison->verdict) continue;
      const Comparison& comparison = *row.entries[c].comparison;
      const ComparisonVerdict& verdict = *comparison.verdict;
      if (verdict.seeds < 2) continue;
      ++judged;
      const Column& column = summary.columns[c];
      const bool first = column.set == kAverage && column.quantity == Quantity::pass(1);
      if (!all && !first && verdict.decision == Decision::undecided && comparison.withheld.empty()) continue;
      ++shown;
      table.lines.push_back(
          {(several ? row.base_model + ": " : "") + row.label + " against " + comparison.against, full_heading(column),
           comparison.withheld.empty() ? shown_decision(column, verdict, summary.rule.margin) : comparison.withheld,
           with_sign(column, verdict.difference.value), interval_text(column, verdict), std::to_string(verdict.seeds),
           wanted_text(comparison)});
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

VerdictTable condition_table(const Summary& summary) {
  VerdictTable table;
  if (summary.conditions.empty()) return table;
  table.caption = fmt::format(
      "Conditions fixed beforehand{}: differences in points, with the 95 % interval of each test alone",
      summary.guarded.empty() ? ""
                              : fmt::format(", without which no verdict on {} is printed", fmt::join(summary.guarded, ", ")));
  table.headings = {"condition", "of", "finding", "difference", "interval", "seeds", "asked"};
  const bool several = names_base_models(summary);
  for (const ConditionFinding& finding : summary.conditions) {
    const Condition& condition = finding.condition;
    const bool bytes = condition.is == Condition::Is::equal_bytes;
    const Column column = bytes ? Column{} : parse_column(condition.metric);
    table.lines.push_back({fmt::format("{}{}: {} against {}", several ? finding.base_model + ": " : "", condition.name,
                                       condition.row, condition.against),
                           bytes ? "counts of every problem" : full_heading(column), state_name(finding.state),
                           bytes ? fmt::format("{} of {} differ", finding.differing, finding.counts)
                                 : with_sign(column, finding.alone.difference.value),
                           bytes ? "-" : interval_text(column, finding.alone),
                           finding.seeds == finding.planned ? std::to_string(finding.seeds)
                                                            : fmt::format("{}/{}", finding.seeds, finding.planned),
                           asked_text(condition, column, summary.rule.margin)});
  }
  return table;
}

std::vector<VerdictTable> verdict_tables(const Summary& summary) {
  std::vector<VerdictTable> tables{condition_table(summary), verdict_table(summary)};
  std::erase_if(tables, [](const VerdictTable& table) { return table.headings.empty(); });
  return tables;
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
      text += fmt::format(
          "{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(row.base_model), csv_field(row.name), csv_field(row.source),
          csv_field(column.set), column.quantity.name(), csv_field(comparison.against),
          comparison.withheld.empty() ? std::string(decision_name(verdict.decision)) : csv_field(comparison.withheld),
          verdict.seeds, csv_number(verdict.difference.value), csv_number(verdict.low), csv_number(verdict.high),
          csv_number(verdict.p_value), csv_number(verdict.p_equivalence),
          verdict.wanted > 0 ? std::to_string(verdict.wanted) : "");
    }
  }
  return text;
}

}  // namespace harness
