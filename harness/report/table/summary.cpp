#include "harness/report/table/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "harness/core/config_reader.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/random.h"
#include "harness/report/holm.h"
#include "harness/report/table/footer.h"
#include "harness/report/table/summary_columns.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

std::vector<ValueTable> column_tables(const RowResults& row, const Column& column, const std::vector<std::string>& sets) {
  std::vector<ValueTable> tables;
  if (column.set != kAverage) {
    tables.push_back(value_table(row, column.set, column.metric));
  } else {
    for (const std::string& set : sets) tables.push_back(value_table(row, set, column.metric));
  }
  return tables;
}

// The difference of two rows in one column; nothing where they share no seed or no problem.
std::optional<MeanInterval> difference(const RowResults& row, const RowResults& base, const Column& column,
                                       const std::vector<std::string>& sets) {
  const std::vector<ValueTable> mine = column_tables(row, column, sets);
  const std::vector<ValueTable> theirs = column_tables(base, column, sets);
  std::vector<ValueTable> tables;
  for (size_t set = 0; set < mine.size(); ++set) {
    tables.push_back(paired_difference(mine[set], theirs[set]));
    if (tables.back().seeds.empty() || tables.back().problems.empty()) return std::nullopt;
  }
  const MeanInterval interval = mean_interval(tables);
  if (std::isnan(interval.value) || std::isnan(interval.low)) return std::nullopt;
  return interval;
}

// Mean over the problems of each (set, seed), a list a set.
std::vector<std::vector<double>> seed_scores(const RowResults& row, const Column& column,
                                             const std::vector<std::string>& sets) {
  std::vector<std::vector<double>> scores;
  for (const ValueTable& table : column_tables(row, column, sets)) {
    scores.emplace_back();
    for (size_t seed = 0; seed < table.seeds.size(); ++seed) {
      std::vector<double> values;
      for (size_t problem = 0; problem < table.problems.size(); ++problem) {
        if (!std::isnan(table.at(seed, problem))) values.push_back(table.at(seed, problem));
      }
      if (!values.empty()) scores.back().push_back(mean_of(values));
    }
  }
  return scores;
}

double interquartile_of(const std::vector<std::vector<double>>& scores) {
  std::vector<double> all;
  for (const auto& set : scores) all.insert(all.end(), set.begin(), set.end());
  return interquartile_mean(all);
}

// Interquartile mean of pass@1 over seed x set scores; interval: seeds resampled within each set, as in rliable.
MeanInterval interquartile_interval(const RowResults& row, const std::vector<std::string>& sets) {
  constexpr int kReplicates = 2000;
  const auto scores = seed_scores(row, {kAverage, "pass@1"}, sets);
  MeanInterval result;
  result.standard_error = result.p_value = result.seed_deviation = result.low = result.high = kUndefined;
  result.value = interquartile_of(scores);
  for (const auto& set : scores) result.seeds = std::max(result.seeds, static_cast<int64_t>(set.size()));
  if (result.seeds < 2) return result;
  const RandomStream stream("iqm bootstrap", {hash64(row.row.base_model + "/" + row.row.name)});
  uint64_t counter = 0;
  std::vector<double> replicates;
  for (int replicate = 0; replicate < kReplicates; ++replicate) {
    auto drawn = scores;
    for (size_t set = 0; set < scores.size(); ++set) {
      for (double& value : drawn[set]) value = scores[set][stream.below(counter++, scores[set].size())];
    }
    replicates.push_back(interquartile_of(drawn));
  }
  result.low = quantile_of(replicates, 0.025);
  result.high = quantile_of(std::move(replicates), 0.975);
  return result;
}

bool compared(const Column& column) { return column.kind == ColumnKind::pass || column.kind == ColumnKind::diversity; }

// A number of each seed that is not a mean over problems.
MeanInterval mean_of_seeds(const RowResults& row, const std::string& metric) {
  std::vector<double> values;
  for (const CellResults& cell : row.cells) {
    if (const auto value = seed_value(cell, row.trained(), metric)) values.push_back(*value);
  }
  MeanInterval result;
  result.low = result.high = result.standard_error = result.p_value = kUndefined;
  result.value = mean_of(values);
  result.seed_deviation = deviation_of(values);
  result.seeds = static_cast<int64_t>(values.size());
  return result;
}

SummaryCell make_cell(const RowResults& row, const Column& column, const std::vector<std::string>& sets) {
  SummaryCell cell;
  cell.sampling_error = kUndefined;
  if (column.kind == ColumnKind::aggregate) {
    cell.mean = interquartile_interval(row, sets);
    return cell;
  }
  if (column.kind == ColumnKind::train || column.kind == ColumnKind::budget) {
    cell.mean = mean_of_seeds(row, column.metric);
    return cell;
  }
  cell.mean = mean_interval(column_tables(row, column, sets));
  if (column.kind == ColumnKind::pass) {
    const std::vector<std::string> over = column.set == kAverage ? sets : std::vector<std::string>{column.set};
    cell.sampling_error = sampling_error(row, over, column.metric);
  }
  return cell;
}

bool is_primary(const ExperimentManifest& manifest, const Column& column) {
  if (manifest.primary.empty()) return true;
  return std::find(manifest.primary.begin(), manifest.primary.end(), column.set + " " + column.metric) !=
         manifest.primary.end();
}

// Fills in the comparisons with compare_to and their marks. Those of the primary columns are one family; the others are shown
// with their own intervals and bear no mark.
void compare_rows(const ExperimentResults& results, Summary& summary) {
  std::vector<Comparison*> family;
  for (size_t i = 0; i < results.rows.size(); ++i) {
    const RowResults& row = results.rows[i];
    if (row.row.compare_to.empty()) continue;
    const RowResults* base = results.find(row.row.base_model, row.row.compare_to);
    if (base == nullptr || base == &row) continue;
    for (size_t c = 0; c < summary.columns.size(); ++c) {
      if (!compared(summary.columns[c])) continue;
      const auto interval = difference(row, *base, summary.columns[c], results.manifest.sets);
      if (!interval) continue;
      Comparison comparison;
      comparison.against = base->row.name;
      comparison.difference = *interval;
      comparison.improvement = probability_of_improvement(seed_scores(row, summary.columns[c], results.manifest.sets),
                                                          seed_scores(*base, summary.columns[c], results.manifest.sets));
      summary.rows[i].cells[c].comparison = comparison;
      if (interval->seeds > 1 && is_primary(results.manifest, summary.columns[c]))
        family.push_back(&*summary.rows[i].cells[c].comparison);
    }
  }
  std::vector<double> p_values;
  for (const Comparison* comparison : family) p_values.push_back(comparison->difference.p_value);
  const std::vector<HolmDecision> decisions = holm(p_values);
  for (size_t i = 0; i < family.size(); ++i) {
    const MeanInterval& interval = family[i]->difference;
    const double half =
        interval.standard_error > 0 ? t_quantile(decisions[i].level, interval.degrees) * interval.standard_error : 0.0;
    family[i]->adjusted_p = decisions[i].adjusted_p;
    family[i]->adjusted_low = interval.value - half;
    family[i]->adjusted_high = interval.value + half;
    family[i]->mark = !decisions[i].different ? 0 : interval.value > 0 ? 1 : -1;
  }
  summary.comparisons = static_cast<int64_t>(family.size());
  summary.primary = results.manifest.primary;
  summary.marked = !family.empty();
}

// Bold: the best of a pass@k column in its base model's group, where its paired interval against the second best excludes 0.
void find_best(const ExperimentResults& results, Summary& summary) {
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < results.rows.size(); ++i) groups[results.rows[i].row.base_model].push_back(i);
  for (auto& [base_model, members] : groups) {
    for (size_t c = 0; c < summary.columns.size(); ++c) {
      if (summary.columns[c].kind != ColumnKind::pass) continue;
      std::vector<size_t> order;
      for (const size_t i : members) {
        if (!std::isnan(summary.rows[i].cells[c].mean.value)) order.push_back(i);
      }
      if (order.size() < 2) continue;
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return summary.rows[a].cells[c].mean.value > summary.rows[b].cells[c].mean.value;
      });
      const auto interval =
          difference(results.rows[order[0]], results.rows[order[1]], summary.columns[c], results.manifest.sets);
      summary.rows[order[0]].cells[c].best = interval && interval->seeds > 1 && interval->low > 0;
    }
  }
}

// Rows of numbers published elsewhere: [[rows]] with name, base_model, source and values."SET METRIC" = number; those of base
// models that the table has, each after our row of the same name where there is one.
void add_published(const ExperimentResults& results, Summary& summary) {
  if (results.manifest.published.empty()) return;
  const auto of_base = [&](const std::string& base) {
    return std::any_of(results.rows.begin(), results.rows.end(),
                       [&](const RowResults& row) { return row.row.base_model == base; });
  };
  Config file = Config::from_toml_file(results.folder + "/" + results.manifest.published);
  for (const Config& entry : file.take_tables("rows")) {
    ConfigReader keys(entry);
    SummaryRow row;
    row.name = keys.required_text("name", "of the row");
    row.base_model = keys.required_text("base_model", "of the row");
    row.source = keys.required_text("source", "where the numbers stand");
    row.label = fmt::format("{} (published)", row.name);
    for (const Column& column : summary.columns) {
      SummaryCell cell;
      cell.sampling_error = kUndefined;
      const std::string key = fmt::format("values.{} {}", column.set, column.metric);
      const double value =
          keys.has(key) ? keys.number(key, 0, -std::numeric_limits<double>::infinity(), "a published number") : kUndefined;
      cell.mean = MeanInterval{};
      cell.mean.value = column.percent() ? value / 100 : value;
      cell.mean.low = cell.mean.high = cell.mean.standard_error = cell.mean.seed_deviation = kUndefined;
      row.cells.push_back(cell);
    }
    // A number of a set or k that this table lacks is no mistake.
    if (!of_base(row.base_model)) continue;
    const auto place = std::find_if(summary.rows.begin(), summary.rows.end(), [&](const SummaryRow& ours) {
      return ours.base_model == row.base_model && ours.name == row.name && ours.source.empty();
    });
    summary.rows.insert(place == summary.rows.end() ? place : place + 1, std::move(row));
  }
}

// Base models in the order they are first named, rows of one in their own order.
void group_rows(Summary& summary) {
  std::map<std::string, size_t> first;
  for (const SummaryRow& row : summary.rows) first.try_emplace(row.base_model, first.size());
  std::stable_sort(summary.rows.begin(), summary.rows.end(),
                   [&](const SummaryRow& a, const SummaryRow& b) { return first.at(a.base_model) < first.at(b.base_model); });
}

}  // namespace

Summary summarise(const ExperimentResults& results) {
  Summary summary;
  summary.title = results.manifest.title;
  summary.columns = summary_columns(results);
  for (const RowResults& row : results.rows) {
    SummaryRow line;
    line.base_model = row.row.base_model;
    line.name = row.row.name;
    line.label = row.row.shown();
    line.seeds_done = static_cast<int64_t>(row.cells.size());
    line.seeds_planned = static_cast<int64_t>(std::max(row.row.seeds.size(), row.row.cells.size()));
    for (const Column& column : summary.columns) line.cells.push_back(make_cell(row, column, results.manifest.sets));
    summary.rows.push_back(std::move(line));
  }
  compare_rows(results, summary);
  find_best(results, summary);
  add_published(results, summary);
  group_rows(summary);
  summary.footer = footer_lines(results, summary);
  return summary;
}

std::string shown_label(const SummaryRow& row) {
  if (row.seeds_done == row.seeds_planned) return row.label;
  return fmt::format("{} ({}/{} seeds)", row.label, row.seeds_done, row.seeds_planned);
}

}  // namespace harness
