#include "harness/report/table/claims.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "harness/core/error.h"
#include "harness/report/results/counts_csv.h"
#include "harness/report/table/comparisons.h"
#include "harness/report/table/published_rows.h"

namespace harness {

namespace {

// Variances pooled by their degrees of freedom.
struct Pool {
  double sum = 0, degrees = 0;
  void add(const MeanInterval& mean) {
    if (mean.seeds < 2) return;
    sum += static_cast<double>(mean.seeds - 1) * mean.seed_deviation * mean.seed_deviation;
    degrees += static_cast<double>(mean.seeds - 1);
  }
  [[nodiscard]] double deviation() const { return std::sqrt(sum / degrees); }
};

const PublishedRow* find_published(const std::vector<PublishedRow>& rows, const std::string& base_model,
                                   const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const PublishedRow& row) {
    return row.name == name && (base_model.empty() || row.base_model == base_model);
  });
  return found == rows.end() ? nullptr : &*found;
}

std::string claim_line(const std::string& base_model, const std::string& column, double gain, const MeasuredNoise& noise,
                       int64_t seeds) {
  const ClaimCheck check = check_claim(gain / 100, seeds, noise);
  std::string text = fmt::format(
      "{}, {}: {:+.1f} points. By chance, two results of one method: {:.1f} % differ by as much, {:.1f} % with common seeds "
      "(deviation between seeds {:.1f}, of a paired difference {:.1f}). ",
      base_model, column, gain, 100 * check.by_chance, 100 * check.by_chance_common, 100 * noise.seed_deviation,
      100 * noise.paired_deviation);
  text += check.seeds > 0 ? fmt::format("{} seeds a row find it four times in five, if it is true.", check.seeds)
                          : std::string("More than a thousand seeds a row would be needed to find it.");
  if (!std::isnan(check.gain)) {
    text += fmt::format(" If true gains are as large as those measured ({:.1f}): {:+.1f} ({:+.1f} to {:+.1f}).",
                        100 * noise.effect_deviation, 100 * check.gain, 100 * check.low, 100 * check.high);
  }
  return text + "\n";
}

}  // namespace

MeasuredNoise measured_noise(const ExperimentResults& results, const Column& column) {
  std::vector<Column> columns;
  if (column.set == kAverage) {
    columns.push_back(column);
  } else {
    for (const std::string& set : results.record.sets) columns.push_back({set, column.quantity});
  }
  std::vector<RowTables> tables;
  for (const RowResults& row : results.rows) tables.emplace_back(row, results.record.sets, columns);
  Pool seeds, paired;
  double effects = 0;
  int64_t comparisons = 0;
  for (size_t i = 0; i < results.rows.size(); ++i) {
    const RowResults* base = results.base_of(results.rows[i]);
    for (const Column& one : columns) {
      if (results.rows[i].trained()) seeds.add(crossed_mean(tables[i].of(one)));
      if (base == nullptr || base == &results.rows[i] || !base->trained()) continue;
      const MeanInterval difference = crossed_mean(paired_differences(
          tables[i], tables[static_cast<size_t>(base - results.rows.data())], one, results.rows[i].record.seeds));
      paired.add(difference);
      if (difference.seeds < 2 || std::isnan(difference.standard_error)) continue;
      effects += difference.value * difference.value - difference.standard_error * difference.standard_error;
      ++comparisons;
    }
  }
  if (!(seeds.sum > 0) || !(paired.sum > 0)) {
    throw Error("{}: {}: expected rows with two training seeds or more and their comparisons (compare_to), found none",
                results.folder, column.quantity.name());
  }
  MeasuredNoise noise{seeds.deviation(), paired.deviation(), kUndefined};
  if (comparisons > 0 && effects > 0) noise.effect_deviation = std::sqrt(effects / static_cast<double>(comparisons));
  return noise;
}

std::string claims_text(const ClaimFile& file) {
  const std::vector<PublishedRow> rows = read_published_rows(file.path);
  for (const std::string& name : {file.row, file.against}) {
    if (find_published(rows, "", name) != nullptr) continue;
    std::string known;
    for (const PublishedRow& row : rows) known += (known.empty() ? "" : ", ") + row.name;
    throw Error("{}: expected a row ({}), found {}", file.path, known, name);
  }
  const ExperimentResults results = read_counts(file.results);
  std::string text;
  for (const PublishedRow& row : rows) {
    const PublishedRow* base = row.name == file.row ? find_published(rows, row.base_model, file.against) : nullptr;
    if (base == nullptr) continue;
    for (const auto& [name, value] : row.values) {
      if (!base->values.contains(name)) continue;
      const Column column = with_context(file.path, [&] { return parse_column(name); });
      if (column.quantity.kind != Quantity::Kind::pass || column.quantity.k > results.record.n) continue;
      text += claim_line(row.base_model, name, value - base->values.at(name), measured_noise(results, column), file.seeds);
    }
  }
  if (text.empty())
    throw Error("{}: expected a column of pass@k that {} and {} share, found none", file.path, file.row, file.against);
  std::vector<std::string> models;
  for (const RowResults& row : results.rows) {
    if (std::find(models.begin(), models.end(), row.record.base_model) == models.end()) models.push_back(row.record.base_model);
  }
  return fmt::format("{} against {}, {} run{} each; noise as measured in {} ({}): other models and sets have other noise\n",
                     file.row, file.against, file.seeds, file.seeds == 1 ? "" : "s", file.results, fmt::join(models, ", ")) +
         text;
}

}  // namespace harness
