#include "harness/report/table/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include "harness/core/error.h"
#include "harness/report/table/comparisons.h"
#include "harness/report/table/footer.h"
#include "harness/report/table/published_rows.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/distributions.h"
#include "harness/stats/sampling_error.h"

namespace harness {

namespace {

using Tables = RowTables::Tables;

// Means of the seeds that have one, a list a set.
std::vector<std::vector<double>> seed_scores(Tables tables) {
  std::vector<std::vector<double>> scores;
  for (const SeedTable& table : tables) {
    scores.push_back(seed_means(table));
    std::erase_if(scores.back(), [](double mean) { return std::isnan(mean); });
  }
  return scores;
}

// Of pass@1 over seed x set scores; nothing of a seed that lacks a set.
MeanInterval interquartile_of(Tables tables) {
  std::map<int64_t, std::vector<double>> seeds;
  for (const SeedTable& table : tables) {
    const std::vector<double> means = seed_means(table);
    for (size_t s = 0; s < means.size(); ++s) {
      if (!std::isnan(means[s])) seeds[table.seeds[s]].push_back(means[s]);
    }
  }
  std::vector<std::vector<double>> scores;
  for (auto& [seed, means] : seeds) {
    if (means.size() == tables.size()) scores.push_back(std::move(means));
  }
  return interquartile_interval(scores);
}

// A number of each seed that is not a mean over problems.
MeanInterval mean_of_seeds(const RowResults& row, Quantity::Kind kind) {
  std::vector<double> values;
  for (const SeedResults& seed : row.seeds) {
    if (const auto value = seed_value(row, seed, kind)) values.push_back(*value);
  }
  MeanInterval result;
  result.value = mean_of(values);
  result.seed_deviation = deviation_of(values);
  result.seeds = static_cast<int64_t>(values.size());
  return result;
}

// Of a column of pass@k: one group of counts a (seed, set), of the seeds with k samples and more.
double sampling_error_of(const RowResults& row, const Column& column, const std::vector<std::string>& sets) {
  std::vector<std::vector<SampleCount>> groups;
  for (const SeedResults& seed : row.seeds) {
    if (seed.n > 0 && seed.n < column.quantity.k) continue;
    for (const std::string& set : sets) {
      if (column.set != kAverage && column.set != set) continue;
      groups.emplace_back();
      const auto found = seed.counts.sets.find(set);
      if (found == seed.counts.sets.end()) continue;
      for (const auto& [problem, counts] : found->second) groups.back().push_back({counts.n, counts.right});
    }
  }
  return sampling_error(groups, column.quantity.k);
}

TableEntry make_entry(const RowResults& row, const RowTables& tables, const Column& column,
                      const std::vector<std::string>& sets) {
  TableEntry entry;
  switch (column.kind()) {
    case ColumnKind::aggregate:
      entry.mean = interquartile_of(tables.of(Quantity::pass(1)));
      break;
    case ColumnKind::train:
    case ColumnKind::budget:
      entry.mean = mean_of_seeds(row, column.quantity.kind);
      break;
    default:
      entry.mean = column.percent() ? crossed_rate(tables.of(column)) : crossed_mean(tables.of(column));
  }
  if (column.quantity.kind == Quantity::Kind::pass) entry.sampling_error = sampling_error_of(row, column, sets);
  return entry;
}

// The difference of two rows in one column; nothing where they share no seed or no problem.
std::optional<MeanInterval> difference_of(Tables row, Tables base) {
  std::vector<SeedTable> tables;
  for (size_t set = 0; set < row.size(); ++set) tables.push_back(paired_difference(row[set], base[set]));
  const MeanInterval interval = crossed_mean(tables);
  if (std::isnan(interval.value) || std::isnan(interval.low)) return std::nullopt;
  return interval;
}

// Fills in the comparisons with compare_to and the verdicts on those of the primary columns, which are one family; the others
// are shown with their own intervals.
void compare_rows(const ExperimentResults& results, const std::vector<RowTables>& tables, Summary& summary) {
  for (size_t i = 0; i < results.rows.size(); ++i) {
    const RowResults* base = results.base_of(results.rows[i]);
    if (base == nullptr || base == &results.rows[i]) continue;
    const RowTables &mine = tables[i], &theirs = tables[static_cast<size_t>(base - results.rows.data())];
    for (size_t c = 0; c < summary.columns.size(); ++c) {
      const Column& column = summary.columns[c];
      if (!column.compared()) continue;
      const auto interval = difference_of(mine.of(column), theirs.of(column));
      if (!interval) continue;
      Comparison& comparison = summary.rows[i].entries[c].comparison.emplace();
      comparison.against = base->record.name;
      comparison.difference = *interval;
      comparison.improvement = probability_of_improvement(seed_scores(mine.of(column)), seed_scores(theirs.of(column)));
    }
  }
  Family family = judge_family(results, summary.columns, tables);
  for (size_t i = 0; i < family.members.size(); ++i) {
    auto& comparison = summary.rows[family.members[i].row].entries[family.members[i].column].comparison;
    if (comparison) comparison->verdict = family.verdicts.each[i];
  }
  summary.comparisons = static_cast<int64_t>(family.members.size());
  summary.looks = std::move(family.verdicts.looks);
}

// Bold: the best of a primary pass@k column in its base model's group, where its paired interval against the second best,
// adjusted by Holm for all such comparisons of the table, excludes 0.
void find_best(const std::vector<RowTables>& tables, Summary& summary) {
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < summary.rows.size(); ++i) groups[summary.rows[i].base_model].push_back(i);
  std::vector<TableEntry*> first;
  std::vector<double> p_values;
  for (const auto& [base_model, members] : groups) {
    for (size_t c = 0; c < summary.columns.size(); ++c) {
      const Column& column = summary.columns[c];
      if (column.kind() != ColumnKind::pass || !column.primary) continue;
      const auto value = [&](size_t row) { return summary.rows[row].entries[c].mean.value; };
      std::vector<size_t> order;
      std::copy_if(members.begin(), members.end(), std::back_inserter(order), [&](size_t i) { return !std::isnan(value(i)); });
      if (order.size() < 2) continue;
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return value(a) > value(b); });
      const auto interval = difference_of(tables[order[0]].of(column), tables[order[1]].of(column));
      if (!interval || interval->seeds < 2) continue;
      first.push_back(&summary.rows[order[0]].entries[c]);
      // Against the second best itself a lead of shared seeds may be negative.
      p_values.push_back(interval->value > 0 ? interval->p_value : 1.0);
    }
  }
  const std::vector<HolmDecision> decisions = holm(p_values);
  for (size_t i = 0; i < first.size(); ++i) first[i]->best = decisions[i].different;
  summary.leads = static_cast<int64_t>(first.size());
}

// Neither a verdict on a guarded row, on either side, nor that it is the best is said while a condition does not hold.
void withhold(const std::vector<std::string>& guarded, Summary& summary) {
  const auto is_guarded = [&](const std::string& row) {
    return std::find(guarded.begin(), guarded.end(), row) != guarded.end();
  };
  for (SummaryRow& row : summary.rows) {
    const std::string why = why_withheld(summary.conditions, row.base_model);
    if (why.empty()) continue;
    for (TableEntry& entry : row.entries) {
      if (is_guarded(row.name)) entry.best = false;
      if (entry.comparison && (is_guarded(row.name) || is_guarded(entry.comparison->against))) entry.comparison->withheld = why;
    }
  }
}

bool graded_twice(const ExperimentResults& results) {
  return std::any_of(results.rows.begin(), results.rows.end(), [](const RowResults& row) {
    return std::any_of(row.seeds.begin(), row.seeds.end(),
                       [](const SeedResults& seed) { return seed.counts.graders.size() > 1; });
  });
}

// Rows of numbers published elsewhere: [[rows]] with name, base_model, source and values."SET METRIC" = number; those of base
// models that the table has, each after our row of the same name where there is one.
void add_published(const ExperimentResults& results, Summary& summary) {
  if (results.record.published.empty()) return;
  const auto of_base = [&](const std::string& base) {
    return std::any_of(results.rows.begin(), results.rows.end(),
                       [&](const RowResults& row) { return row.record.base_model == base; });
  };
  for (const PublishedRow& published : read_published_rows(results.folder + "/" + results.record.published)) {
    SummaryRow row;
    row.name = published.name;
    row.base_model = published.base_model;
    row.source = published.source;
    row.label = fmt::format("{} (published)", row.name);
    for (const Column& column : summary.columns) {
      TableEntry& entry = row.entries.emplace_back();
      const auto found = published.values.find(fmt::format("{} {}", column.set, column.quantity.name()));
      if (found != published.values.end()) entry.mean.value = found->second / (column.percent() ? 100 : 1);
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

int Comparison::mark() const {
  if (!verdict || !withheld.empty() || (verdict->decision != Decision::better && verdict->decision != Decision::worse))
    return 0;
  return verdict->decision == Decision::better ? 1 : -1;
}

Summary summarise(const ExperimentResults& results) {
  Summary summary;
  summary.title = results.record.title;
  summary.rule = results.record.rule;
  summary.all_primary = results.record.primary.empty();
  summary.columns = table_columns(results.record, graded_twice(results));
  std::vector<RowTables> tables;
  for (const RowResults& row : results.rows) {
    const RowTables& mine = tables.emplace_back(row, results.record.sets, summary.columns);
    SummaryRow line;
    line.base_model = row.record.base_model;
    line.name = row.record.name;
    line.label = row.record.shown();
    line.seeds_done = static_cast<int64_t>(row.seeds.size());
    line.seeds_whole = std::count_if(row.seeds.begin(), row.seeds.end(), [](const SeedResults& seed) { return seed.n == 0; });
    line.seeds_planned = static_cast<int64_t>(std::max(row.record.seeds.size(), row.record.records.size()));
    for (const Column& column : summary.columns) {
      line.entries.push_back(make_entry(row, mine, column, results.record.sets));
    }
    summary.rows.push_back(std::move(line));
  }
  compare_rows(results, tables, summary);
  find_best(tables, summary);
  summary.conditions = judge_conditions(results, summary.columns, tables);
  summary.guarded = results.record.guarded;
  withhold(summary.guarded, summary);
  add_published(results, summary);
  group_rows(summary);
  summary.footer = footer_lines(results, summary);
  return summary;
}

}  // namespace harness
