#include "harness/report/table/comparisons.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace harness {

RowTables::RowTables(const RowResults& row, const std::vector<std::string>& sets, const std::vector<Column>& columns)
    : sets_(sets) {
  make(row, Quantity::pass(1));  // of the interquartile mean
  for (const Column& column : columns) {
    if (column.of_problems()) make(row, column.quantity);
  }
}

RowTables::Tables RowTables::of(const Column& column) const {
  const Tables all = of(column.quantity);
  if (column.set == kAverage) return all;
  return all.subspan(static_cast<size_t>(std::find(sets_.begin(), sets_.end(), column.set) - sets_.begin()), 1);
}

void RowTables::make(const RowResults& row, const Quantity& quantity) {
  const auto [place, is_new] = tables_.try_emplace(quantity);
  if (!is_new) return;
  for (const std::string& set : sets_) place->second.push_back(seed_table(row, set, quantity));
}

std::vector<SeedTable> paired_differences(const RowTables& row, const RowTables& base, const Column& column,
                                          const std::vector<int64_t>& seeds) {
  std::vector<SeedTable> tables;
  const RowTables::Tables mine = row.of(column), theirs = base.of(column);
  const auto planned = [&](int64_t seed) { return std::find(seeds.begin(), seeds.end(), seed) - seeds.begin(); };
  for (size_t set = 0; set < mine.size(); ++set) {
    const SeedTable all = paired_difference(mine[set], theirs[set]);
    std::vector<size_t> order(all.seeds.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return planned(all.seeds[a]) < planned(all.seeds[b]); });
    tables.push_back(chosen_seeds(all, order));
  }
  return tables;
}

Family judge_family(const ExperimentResults& results, const std::vector<Column>& columns, std::span<const RowTables> tables) {
  const SeedRule& rule = results.record.rule;
  Family family;
  std::vector<Contrast> contrasts;
  for (size_t i = 0; i < results.rows.size(); ++i) {
    const RowResults* base = results.base_of(results.rows[i]);
    if (base == nullptr || base == &results.rows[i]) continue;
    const RowTables& theirs = tables[static_cast<size_t>(base - results.rows.data())];
    for (size_t c = 0; c < columns.size(); ++c) {
      if (!columns[c].compared() || !columns[c].primary) continue;
      Contrast contrast{paired_differences(tables[i], theirs, columns[c], results.rows[i].record.seeds),
                        columns[c].percent() ? rule.margin : 0};
      if (rule.kind == SeedRule::Kind::fixed) {
        const MeanInterval mean = crossed_mean(contrast.difference);
        if (std::isnan(mean.value) || std::isnan(mean.low) || mean.seeds < 2) continue;
      }
      family.members.push_back({i, c});
      contrasts.push_back(std::move(contrast));
    }
  }
  family.verdicts = VerdictRule(rule).judge(contrasts);
  return family;
}

Family judge_family(const ExperimentResults& results) {
  const std::vector<Column> columns = table_columns(results.record, false);
  std::vector<RowTables> tables;
  for (const RowResults& row : results.rows) tables.emplace_back(row, results.record.sets, columns);
  return judge_family(results, columns, tables);
}

}  // namespace harness
