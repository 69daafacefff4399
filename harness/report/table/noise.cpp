#include "harness/report/table/noise.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "harness/core/csv.h"
#include "harness/report/table/table_layout.h"
#include "harness/report/table/table_text.h"
#include "harness/stats/sampling_error.h"

namespace harness {

namespace {

// The sets that a column is the mean of.
std::vector<std::string> sets_of(const ExperimentResults& results, const Column& column) {
  return column.set == kAverage ? results.record.sets : std::vector<std::string>{column.set};
}

std::vector<SeedTable> tables_of(const RowResults& row, const std::vector<std::string>& sets, const Quantity& quantity) {
  std::vector<SeedTable> tables;
  for (const std::string& set : sets) tables.push_back(seed_table(row, set, quantity));
  return tables;
}

// The counts behind tables of these sets: one group a (seed, set), of the tables' problems.
std::vector<std::vector<SampleCount>> counts_behind(const RowResults& row, const std::vector<std::string>& sets,
                                                    const std::vector<SeedTable>& tables, const std::vector<int64_t>& seeds) {
  std::vector<std::vector<SampleCount>> groups;
  for (const SeedResults& seed : row.seeds) {
    if (std::find(seeds.begin(), seeds.end(), seed.seed) == seeds.end()) continue;
    for (size_t s = 0; s < sets.size(); ++s) {
      groups.emplace_back();
      const SetCounts& counts = seed.counts.sets.at(sets[s]);
      for (const std::string& problem : tables[s].problems) {
        if (const auto found = counts.find(problem); found != counts.end()) {
          groups.back().push_back({found->second.n, found->second.right});
        }
      }
    }
  }
  return groups;
}

double mean_samples(const std::vector<std::vector<SampleCount>>& groups) {
  double problems = 0, inverse = 0;
  for (const auto& group : groups) {
    for (const SampleCount& count : group) {
      problems += 1;
      inverse += 1 / static_cast<double>(count.n);
    }
  }
  return problems / inverse;
}

// In generated tokens; nothing of an untrained row, which is evaluated once, and of one trained elsewhere.
SeedCost cost_of(const RowResults& row) {
  SeedCost cost;
  if (!row.trained() || row.seeds.empty()) return cost;
  int64_t tokens = 0, responses = 0;
  for (const SeedResults& seed : row.seeds) {
    if (!seed.budget) return {};  // trained elsewhere
    cost.training += static_cast<double>(seed.budget->tokens_generated) / static_cast<double>(row.seeds.size());
    tokens += seed.counts.tokens;
    responses += seed.counts.responses;
  }
  if (responses > 0) cost.sample = static_cast<double>(tokens) / static_cast<double>(responses);
  return cost;
}

// Of seeds that both have, their means over the sets.
Pairing pairing_of(const std::vector<SeedTable>& mine, const std::vector<SeedTable>& theirs) {
  const CrossedSquares a = crossed_squares(mine), b = crossed_squares(theirs);
  std::vector<double> row, base;
  for (size_t i = 0; i < a.seeds.size(); ++i) {
    const auto found = std::find(b.seeds.begin(), b.seeds.end(), a.seeds[i]);
    if (found == b.seeds.end()) continue;
    row.push_back(a.averages[i]);
    base.push_back(b.averages[static_cast<size_t>(found - b.seeds.begin())]);
  }
  return pairing(row, base);
}

// The names of a record of this row in this column.
NoiseRecord named(const RowResults& row, const Column& column) {
  NoiseRecord record;
  record.base_model = row.record.base_model;
  record.row = row.record.name;
  record.label = row.record.shown();
  record.column = column;
  return record;
}

// Fills in what follows from the tables and the counts behind them.
void take_apart(NoiseRecord& record, const std::vector<SeedTable>& tables, double samples, double fixed_samples,
                const SeedCost& cost) {
  record.parts = variance_parts(tables, samples, fixed_samples);
  if (record.column.quantity.k == 1) record.best = best_samples(record.parts, record.samples, cost);
}

NoiseRecord of_value(const ExperimentResults& results, const RowResults& row, const Column& column, const MeanInterval& mean) {
  NoiseRecord record = named(row, column);
  record.mean = mean;
  const auto sets = sets_of(results, column);
  const auto tables = tables_of(row, sets, column.quantity);
  const auto groups = counts_behind(row, sets, tables, crossed_squares(tables).seeds);
  record.samples = mean_samples(groups);
  take_apart(record, tables, sampling_variance(groups, column.quantity.k), 0, cost_of(row));
  return record;
}

NoiseRecord of_difference(const ExperimentResults& results, const RowResults& row, const RowResults& base, const Column& column,
                          const MeanInterval& difference) {
  NoiseRecord record = named(row, column);
  record.against = base.record.name;
  record.against_label = base.record.shown();
  record.mean = difference;
  const auto sets = sets_of(results, column);
  const auto mine = tables_of(row, sets, column.quantity), theirs = tables_of(base, sets, column.quantity);
  std::vector<SeedTable> tables;
  for (size_t s = 0; s < sets.size(); ++s) tables.push_back(paired_difference(mine[s], theirs[s]));
  const std::vector<int64_t> seeds = crossed_squares(tables).seeds;
  const bool fixed = theirs.front().seeds == std::vector<int64_t>{0};
  const auto groups = counts_behind(row, sets, tables, seeds);
  record.samples = mean_samples(groups);
  const double of_row = sampling_variance(groups, column.quantity.k);
  const double of_base =
      sampling_variance(counts_behind(base, sets, tables, fixed ? theirs.front().seeds : seeds), column.quantity.k);
  const SeedCost a = cost_of(row), b = cost_of(base);
  take_apart(record, tables, fixed ? of_row : of_row + of_base, fixed ? of_base : 0,
             {a.training + b.training, a.sample + b.sample});
  if (!fixed) record.pairing = pairing_of(mine, theirs);
  return record;
}

double worth(double variance_ratio) { return 1 / variance_ratio; }

std::string share_cell(const VariancePart& part) {
  if (std::isnan(part.share)) return "-";
  return fmt::format("{:.0f} \u00b1 {:.0f}", 100 * part.share, 100 * part.share_error);
}

}  // namespace

std::vector<NoiseRecord> noise_records(const ExperimentResults& results, const Summary& summary) {
  std::vector<NoiseRecord> records;
  for (const SummaryRow& line : summary.rows) {
    if (!line.source.empty()) continue;
    const RowResults& row = *results.find(line.base_model, line.name);
    for (size_t c = 0; c < summary.columns.size(); ++c) {
      const Column& column = summary.columns[c];
      const TableEntry& entry = line.entries[c];
      if (column.quantity.kind != Quantity::Kind::pass || std::isnan(entry.mean.low)) continue;
      records.push_back(of_value(results, row, column, entry.mean));
      if (!entry.comparison) continue;
      records.push_back(of_difference(results, row, *results.base_of(row), column, entry.comparison->difference));
    }
  }
  return records;
}

std::string noise_csv(const std::vector<NoiseRecord>& records) {
  std::string text =
      "base_model,row,against,set,metric,samples,seeds,problems,standard_error,seed,problem,seed_problem,sampling,seed_share,"
      "seed_share_error,problem_share,problem_share_error,seed_problem_share,seed_problem_share_error,sampling_share,"
      "sampling_share_error,best_n,best_n_gain,correlation,correlation_low,correlation_high,pairing_worth,pairing_worth_low,"
      "pairing_worth_high\n";
  for (const NoiseRecord& r : records) {
    const VarianceParts& parts = r.parts;
    text += fmt::format("{},{},{},{},{},{},{},{}", csv_field(r.base_model), csv_field(r.row), csv_field(r.against),
                        csv_field(r.column.set), r.column.quantity.name(), csv_number(r.samples), parts.seeds, parts.problems);
    std::vector<double> numbers{r.mean.standard_error};
    const VariancePart* const all[] = {&parts.seed, &parts.problem, &parts.interaction, &parts.samples};
    for (const VariancePart* part : all) numbers.push_back(part->variance);
    for (const VariancePart* part : all) numbers.insert(numbers.end(), {part->share, part->share_error});
    numbers.insert(numbers.end(), {r.best.n, r.best.gain, r.pairing.correlation, r.pairing.low, r.pairing.high,
                                   worth(r.pairing.variance_ratio), worth(r.pairing.ratio_high), worth(r.pairing.ratio_low)});
    for (const double number : numbers) text += "," + csv_number(number);
    text += "\n";
  }
  return text;
}

std::string noise_note() {
  return "Seeds: shift of all problems by the training seed; problems: which problems were taken; seed x problem: what a seed "
         "does to single problems; samples: the finite number of responses, counted as independent of one another. Unbiased "
         "estimates: a small part may come out below 0. More seeds lessen all but problems, which only more problems lessen. "
         "Best n: samples a problem with which the same generated tokens, spent on seeds and their samples, leave the least "
         "variance of pass@1, and how much more that tells than the n there is (training counted by the tokens it generated). "
         "Pairing: how many times as many seeds two rows without common seeds would need, with its 95 % interval, from 4 seeds "
         "on.";
}

std::vector<NoiseRecord> shown_noise(const std::vector<NoiseRecord>& records) {
  const bool averages = std::any_of(records.begin(), records.end(), [](const auto& r) { return r.column.set == kAverage; });
  std::vector<NoiseRecord> shown;
  std::copy_if(records.begin(), records.end(), std::back_inserter(shown),
               [&](const NoiseRecord& r) { return !averages || r.column.set == kAverage; });
  return shown;
}

std::vector<std::string> noise_headings() {
  return {"method",    "against",          "column",    "seeds",  "standard error", "seed %",
          "problem %", "seed x problem %", "samples %", "best n", "pairing"};
}

std::vector<std::string> noise_cells(const NoiseRecord& r) {
  std::string pairing = "-", best = "-";
  if (!std::isnan(r.pairing.ratio_low)) {  // of three seeds and less it is no more than a number
    pairing = fmt::format("{:.1f} ({:.1f} to {:.1f})", worth(r.pairing.variance_ratio), worth(r.pairing.ratio_high),
                          worth(r.pairing.ratio_low));
  }
  if (!std::isnan(r.best.n)) best = fmt::format("{:.0f} (x {:.1f})", r.best.n, r.best.gain);
  return {r.label,
          r.against_label,
          full_heading(r.column),
          std::to_string(r.parts.seeds),
          fmt::format("{:.2f}", 100 * r.mean.standard_error),
          share_cell(r.parts.seed),
          share_cell(r.parts.problem),
          share_cell(r.parts.interaction),
          share_cell(r.parts.samples),
          best,
          pairing};
}

std::string noise_markdown(const std::vector<NoiseRecord>& records) {
  std::string text = fmt::format("# Where the noise comes from\n\n{}. {}\n", kNoiseCaption, noise_note());
  std::string base_model;
  bool first = true;
  for (const NoiseRecord& record : shown_noise(records)) {
    if (first || record.base_model != base_model) {
      base_model = record.base_model;
      text += base_model.empty() ? "\n" : fmt::format("\n## {}\n\n", markdown_escape(base_model));
      text +=
          fmt::format("| {} |\n|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n", fmt::join(noise_headings(), " | "));
      first = false;
    }
    for (const std::string& cell : noise_cells(record)) text += "| " + markdown_escape(cell) + " ";
    text += "|\n";
  }
  return text;
}

}  // namespace harness
