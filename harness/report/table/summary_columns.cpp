#include "harness/report/table/summary_columns.h"

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"

namespace harness {

namespace {

std::string grouped(double value) {
  if (value >= 1e9) return fmt::format("{:.2f}G", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.2f}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

// Share of right responses sampled in training, mean of the last kLateSteps steps.
std::optional<double> late_pass_rate(const TrainingCurves& curves) {
  constexpr size_t kLateSteps = 5;
  const auto found = curves.find("train_pass_rate");
  if (found == curves.end() || found->second.empty()) return std::nullopt;
  double sum = 0;
  size_t steps = 0;
  for (auto step = found->second.rbegin(); step != found->second.rend() && steps < kLateSteps; ++step, ++steps)
    sum += step->second;
  return sum / static_cast<double>(steps);
}

bool graded_twice(const ExperimentResults& results) {
  return std::any_of(results.rows.begin(), results.rows.end(), [](const RowResults& row) {
    return std::any_of(row.cells.begin(), row.cells.end(),
                       [](const CellResults& cell) { return cell.policy.graders.size() > 1; });
  });
}

}  // namespace

std::string Column::heading() const {
  if (metric == "train_pass_rate") return "train pass rate";
  if (metric == "tokens_generated") return "tokens";
  if (metric == "responses_generated") return "responses";
  if (metric == "responses_kept") return "kept";
  if (metric == "visits_per_problem") return "visits";
  if (metric == "disagreement") return "graders disagree";
  if (metric == "iqm") return "IQM";
  if (metric.starts_with("g_pass@")) {  // as arXiv 2412.13147 writes it
    const size_t at = metric.find('_', 7);
    return "G-pass@" + metric.substr(7, at - 7) + " at " + metric.substr(at + 1);
  }
  std::string text = metric;
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::vector<Column> summary_columns(const ExperimentResults& results) {
  std::vector<Column> columns;
  std::vector<std::string> sets = results.manifest.sets;
  if (sets.size() > 1) sets.push_back(kAverage);
  for (const std::string& set : sets) {
    for (const int64_t k : results.manifest.k) columns.push_back({set, fmt::format("pass@{}", k), ColumnKind::pass});
    for (const int64_t k : results.manifest.k) {
      if (k == 1) continue;  // both are pass@1 there
      if (results.manifest.maj) columns.push_back({set, fmt::format("maj@{}", k), ColumnKind::pass});
      for (const double tau : results.manifest.g_pass) {
        columns.push_back({set, fmt::format("g_pass@{}_{}", k, tau), ColumnKind::pass});
      }
    }
  }
  columns.push_back({kAverage, "iqm", ColumnKind::aggregate});
  columns.push_back({kAverage, "distinct_answers", ColumnKind::diversity});
  columns.push_back({kAverage, "answer_entropy", ColumnKind::diversity});
  columns.push_back({kAverage, "train_pass_rate", ColumnKind::train});
  columns.push_back({kAverage, "no_answer", ColumnKind::verifier});
  columns.push_back({kAverage, "undecided", ColumnKind::verifier});
  if (graded_twice(results)) columns.push_back({kAverage, "disagreement", ColumnKind::verifier});
  for (const char* metric : {"tokens_generated", "responses_generated", "responses_kept", "updates", "visits_per_problem"}) {
    columns.push_back({kAverage, metric, ColumnKind::budget});
  }
  return columns;
}

std::optional<double> seed_value(const CellResults& cell, bool trained, const std::string& metric) {
  if (metric == "train_pass_rate") return cell.train_pass_rate ? cell.train_pass_rate : late_pass_rate(cell.curves);
  if (!trained) return std::nullopt;
  if (metric == "tokens_generated") return static_cast<double>(cell.budget.tokens_generated);
  if (metric == "responses_generated") return static_cast<double>(cell.budget.responses_generated);
  if (metric == "responses_kept") return static_cast<double>(cell.budget.responses_kept);
  if (metric == "updates") return static_cast<double>(cell.budget.updates);
  if (metric == "visits_per_problem") return cell.budget.visits_per_problem;
  return std::nullopt;
}

std::string shown_value(const Column& column, double value) {
  if (std::isnan(value)) return "-";
  if (column.percent()) return fmt::format("{:.1f}", 100 * value);
  if (column.kind == ColumnKind::diversity) return fmt::format("{:.2f}", value);
  if (column.metric == "visits_per_problem") return fmt::format("{:.1f}", value);
  return grouped(value);
}

}  // namespace harness
