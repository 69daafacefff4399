// Columns, Holm's family, what rows are compared with, files beside the experiment.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <optional>
#include <set>

#include "harness/core/nearest_name.h"
#include "harness/experiment/check/parts.h"
#include "harness/report/table/columns.h"

namespace harness {

namespace {

std::vector<Column> compared_columns(const Experiment& experiment) {
  TableSettings settings = experiment;
  settings.primary.clear();
  std::vector<Column> columns = table_columns(settings, false);
  std::erase_if(columns, [](const Column& column) { return !column.compared(); });
  return columns;
}

std::string name_of(const Column& column) { return column.set + " " + column.quantity.name(); }

// How a primary column that the table lacks can be had, or what was meant.
std::string way_to_column(const Experiment& experiment, const Column& wanted, const std::vector<Column>& columns) {
  if (wanted.set == kAverage && experiment.sets.size() == 1) {
    return fmt::format("of one set its own column counts: \"{} {}\"", experiment.sets.front(), wanted.quantity.name());
  }
  std::set<std::string> sets, metrics;
  for (const Column& column : columns) {
    sets.insert(column.set);
    if (column.set == wanted.set) metrics.insert(column.quantity.name());
  }
  if (!sets.contains(wanted.set)) {
    return fmt::format("the sets are {}{}", fmt::join(sets, ", "), nearest_text(wanted.set, {sets.begin(), sets.end()}));
  }
  if (wanted.quantity.kind == Quantity::Kind::pass) return fmt::format("table.k needs {}", wanted.quantity.k);
  return fmt::format("of {} are compared: {}", wanted.set, fmt::join(metrics, ", "));
}

// What is wrong with a column that must be compared; nothing where it is.
std::optional<Finding> missing_column(const Experiment& experiment, const std::string& text) {
  const std::vector<Column> columns = compared_columns(experiment);
  const Column wanted = parse_column(text);
  const bool there = std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
    return column.set == wanted.set && column.quantity == wanted.quantity;
  });
  if (there) return std::nullopt;
  // A scaled table may have fewer k than the experiment.
  return Finding{.severity = experiment.scale == 1 ? Severity::error : Severity::warning,
                 .what = fmt::format("expected a column of the table that is compared, found \"{}\"", name_of(wanted)),
                 .way_out = way_to_column(experiment, wanted, columns)};
}

void check_columns(const Experiment& experiment, FindingList& found) {
  for (const std::string& text : experiment.primary) {
    if (auto finding = missing_column(experiment, text)) found.add("table.primary", std::move(*finding));
  }
  for (size_t i = 0; i < experiment.conditions.size(); ++i) {
    if (experiment.conditions[i].is == Condition::Is::equal_bytes) continue;
    auto finding = missing_column(experiment, experiment.conditions[i].metric);
    if (!finding) continue;
    finding->place = experiment.condition_heads[i].at("metric").origin + ": conditions: metric";
    found.add(std::move(*finding));
  }
}

const PlannedRow* compared_with(const Experiment& experiment, const PlannedRow& row) {
  for (const PlannedRow& other : experiment.rows) {
    if (other.name == row.compare_to && other.base_model == row.base_model) return &other;
  }
  return nullptr;
}

void check_comparison(const Experiment& experiment, const PlannedRow& row, FindingList& found) {
  const PlannedRow* other = compared_with(experiment, row);
  if (other == nullptr) return;
  if (other == &row) {
    found.add(row, "compare_to", {.what = "expected another row, found the row itself", .way_out = "name its base"});
    return;
  }
  if (other->untrained) return;  // stands against every seed
  const bool shared = std::any_of(row.seeds.begin(), row.seeds.end(), [&](int64_t seed) {
    return std::find(other->seeds.begin(), other->seeds.end(), seed) != other->seeds.end();
  });
  if (shared) return;
  found.add(row, "compare_to",
            {.severity = Severity::warning,
             .what = fmt::format("expected a row that shares training seeds, found {} with {} against {}", other->name,
                                 fmt::join(other->seeds, ", "), fmt::join(row.seeds, ", ")),
             .way_out = "differences are paired by seed, and the table will show none here"});
}

}  // namespace

void check_table(const Experiment& experiment, FindingList& found) {
  const auto need_file = [&](const std::string& key, const std::string& file) {
    if (!std::filesystem::exists(file)) found.add(key, {.what = fmt::format("expected the file {}, found none", file)});
  };
  if (!experiment.published.empty()) need_file("table.published", experiment.published);
  for (const std::string& also : experiment.also) need_file("run.also", also);
  const int64_t largest = *std::max_element(experiment.k.begin(), experiment.k.end());
  if (largest > experiment.n) {
    found.add("table.k", {.what = fmt::format("expected at most eval.n ({}), found {}", experiment.n, largest),
                          .way_out = fmt::format("table.k = {}, or eval.n = {}",
                                                 to_toml(Config::Value(reachable_k(experiment.k, experiment.n))), largest)});
  }
  check_columns(experiment, found);
  for (const PlannedRow& row : experiment.rows) check_comparison(experiment, row, found);
}

}  // namespace harness
