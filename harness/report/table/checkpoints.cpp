#include "harness/report/table/checkpoints.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/core/csv.h"
#include "harness/report/table/table_text.h"
#include "harness/stats/pass_at_k.h"

namespace harness {

namespace {

std::vector<SeedTable> step_tables(const RowResults& row, std::span<const std::string> sets, const Quantity& quantity,
                                   int64_t step) {
  std::vector<SeedTable> tables;
  for (const std::string& set : sets) {
    SeedCounts counts;
    for (const SeedResults& seed : row.seeds) {
      const auto at = seed.checkpoints.find(step);
      if (at == seed.checkpoints.end()) continue;
      if (const auto found = at->second.find(set); found != at->second.end()) {
        counts[step == 0 ? 0 : seed.seed] = &found->second;
      }
    }
    tables.push_back(seed_tables(counts, std::vector<Quantity>{quantity}).front());
  }
  return tables;
}

std::vector<int64_t> ks_of(const ExperimentRecord& record) {
  const std::vector<int64_t> powers = powers_of_two_up_to(record.n);
  std::set<int64_t> ks(powers.begin(), powers.end());
  for (const int64_t k : record.k) {
    if (k <= record.n) ks.insert(k);
  }
  return {ks.begin(), ks.end()};
}

// Whether the record is of the average, or of the only set.
bool is_shown(const ExperimentRecord& record, const Column& column) {
  return column.set == (record.sets.size() > 1 ? kAverage : record.sets.front()) &&
         std::find(record.k.begin(), record.k.end(), column.quantity.k) != record.k.end();
}

std::string shown_mean(const MeanInterval& mean) {
  if (std::isnan(mean.value)) return "-";
  const std::string text = fmt::format("{:.1f}", 100 * mean.value);
  return mean.seeds < 2 ? text : fmt::format("{} \u00b1 {:.1f}", text, 100 * mean.seed_deviation);
}

}  // namespace

std::set<int64_t> checkpoint_steps(const RowResults& row) {
  std::set<int64_t> steps;
  for (const SeedResults& seed : row.seeds) {
    for (const auto& [step, counts] : seed.checkpoints) steps.insert(step);
  }
  return steps;
}

MeanInterval checkpoint_mean(const RowResults& row, std::span<const std::string> sets, const Quantity& quantity, int64_t step) {
  return crossed_rate(step_tables(row, sets, quantity, step));
}

std::vector<CheckpointRecord> checkpoint_records(const ExperimentResults& results) {
  std::vector<std::string> columns = results.record.sets;
  if (columns.size() > 1) columns.emplace_back(kAverage);
  std::vector<CheckpointRecord> records;
  for (const RowResults& row : results.rows) {
    const std::set<int64_t> steps = checkpoint_steps(row);
    const RowResults* base = results.base_of(row);
    for (const std::string& set : columns) {
      const std::vector<std::string> sets = set == kAverage ? results.record.sets : std::vector<std::string>{set};
      for (const int64_t k : ks_of(results.record)) {
        for (const int64_t step : steps) {
          CheckpointRecord record{
              row.record.base_model, row.record.name, row.record.shown(), {set, Quantity::pass(k)}, step, {}, "", {}};
          const auto mine = step_tables(row, sets, Quantity::pass(k), step);
          record.mean = crossed_rate(mine);
          if (std::isnan(record.mean.value)) continue;
          if (base != nullptr && base != &row && step > 0 && checkpoint_steps(*base).contains(step)) {
            const auto theirs = step_tables(*base, sets, Quantity::pass(k), step);
            std::vector<SeedTable> tables;
            for (size_t s = 0; s < sets.size(); ++s) tables.push_back(paired_difference(mine[s], theirs[s]));
            record.difference = crossed_mean(tables);
            if (!std::isnan(record.difference.low)) record.against = base->record.name;
          }
          records.push_back(std::move(record));
        }
      }
    }
  }
  return records;
}

std::string checkpoints_csv(const std::vector<CheckpointRecord>& records) {
  std::string text =
      "base_model,row,set,metric,step,value,low,high,seed_deviation,seeds,problems,against,difference,difference_low,"
      "difference_high,p,paired_seeds\n";
  for (const CheckpointRecord& r : records) {
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},", csv_field(r.base_model), csv_field(r.row), csv_field(r.column.set),
                        r.column.quantity.name(), r.step, csv_number(r.mean.value), csv_number(r.mean.low),
                        csv_number(r.mean.high), csv_number(r.mean.seed_deviation), r.mean.seeds, r.mean.problems);
    if (r.against.empty()) {
      text += ",,,,,\n";
      continue;
    }
    text +=
        fmt::format("{},{},{},{},{},{}\n", csv_field(r.against), csv_number(r.difference.value), csv_number(r.difference.low),
                    csv_number(r.difference.high), csv_number(r.difference.p_value), r.difference.seeds);
  }
  return text;
}

std::vector<CheckpointTable> checkpoint_tables(const ExperimentResults& results, const std::vector<CheckpointRecord>& records) {
  struct Group {
    std::set<int64_t> steps;
    std::vector<std::string> rows;  // labels in order
    std::map<std::pair<std::string, int64_t>, std::string> cells;
  };
  std::vector<std::pair<std::string, Group>> groups;  // by caption, in order
  for (const CheckpointRecord& r : records) {
    if (!is_shown(results.record, r.column)) continue;
    const std::string of = r.base_model.empty() ? "" : ", " + r.base_model;
    const std::string caption = fmt::format("{} over training, {}, percent{}", r.column.quantity.heading(), r.column.set, of);
    auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.first == caption; });
    if (found == groups.end()) found = groups.insert(groups.end(), {caption, {}});
    Group& group = found->second;
    group.steps.insert(r.step);
    if (std::find(group.rows.begin(), group.rows.end(), r.label) == group.rows.end()) group.rows.push_back(r.label);
    group.cells[{r.label, r.step}] = shown_mean(r.mean);
  }
  std::vector<CheckpointTable> tables;
  for (const auto& [caption, group] : groups) {
    CheckpointTable& table = tables.emplace_back(CheckpointTable{caption, {"method"}, {}});
    for (const int64_t step : group.steps) table.headings.push_back(fmt::format("step {}", step));
    for (const std::string& row : group.rows) {
      std::vector<std::string>& line = table.lines.emplace_back(1, row);
      for (const int64_t step : group.steps) {
        const auto found = group.cells.find({row, step});
        line.push_back(found == group.cells.end() ? "-" : found->second);
      }
    }
  }
  return tables;
}

std::string checkpoints_markdown(const std::vector<CheckpointTable>& tables) {
  std::string text =
      "# Over training\n\nPolicies evaluated after some steps of their trainings, step 0: the base model; \u00b1 is the "
      "standard "
      "deviation over the seeds. Every k, each set, intervals and differences at equal steps stand in checkpoints.csv.\n";
  for (const CheckpointTable& table : tables) {
    text += fmt::format("\n{}\n\n| {} |\n|---|", markdown_escape(table.caption), fmt::join(table.headings, " | "));
    for (size_t i = 1; i < table.headings.size(); ++i) text += "---:|";
    text += "\n";
    for (const std::vector<std::string>& line : table.lines) {
      for (const std::string& cell : line) text += "| " + markdown_escape(cell) + " ";
      text += "|\n";
    }
  }
  return text;
}

}  // namespace harness
