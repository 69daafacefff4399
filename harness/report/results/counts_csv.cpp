#include "harness/report/results/counts_csv.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

namespace {

int64_t whole_number(const std::string& text, const std::string& place) {
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) {
    throw Error("{}: expected a whole number, found {}", place, text);
  }
  return value;
}

}  // namespace

std::string counts_csv(const ExperimentResults& results) {
  std::string text = "base_model,row,seed,set,problem,n,correct\n";
  for (const RowResults& row : results.rows) {
    for (const SeedResults& seed : row.seeds) {
      for (const auto& [set, problems] : seed.counts.sets) {
        for (const auto& [problem, counts] : problems) {
          text += fmt::format("{},{},{},{},{},{},{}\n", csv_field(row.record.base_model), csv_field(row.record.name), seed.seed,
                              csv_field(set), csv_field(problem), counts.n, counts.right);
        }
      }
    }
  }
  return text;
}

ExperimentResults read_counts(const std::string& folder) {
  ExperimentResults results;
  results.folder = folder;
  results.record = read_experiment_record(folder);
  for (const RowRecord& row : results.record.rows) {
    RowResults& line = results.rows.emplace_back();
    line.record = row;
    for (const SeedRecord& seed : row.records) {
      if (seed.failed.empty()) line.seeds.push_back(recorded_results(seed));
    }
    std::sort(line.seeds.begin(), line.seeds.end(), [](const SeedResults& a, const SeedResults& b) { return a.seed < b.seed; });
  }
  const std::string path = folder + "/counts.csv";
  const auto records = with_context(path, [&] { return read_csv(read_file(path)); });
  for (size_t i = 1; i < records.size(); ++i) {
    const std::string place = fmt::format("{}: line {}", path, i + 1);
    if (records[i].size() != 7) throw Error("{}: expected 7 fields, found {}", place, records[i].size());
    for (RowResults& row : results.rows) {
      if (row.record.base_model != records[i][0] || row.record.name != records[i][1]) continue;
      for (SeedResults& seed : row.seeds) {
        if (seed.seed != whole_number(records[i][2], place)) continue;
        ProblemCounts& counts = seed.counts.sets[records[i][3]][records[i][4]];
        counts.n = whole_number(records[i][5], place);
        counts.right = whole_number(records[i][6], place);
      }
    }
  }
  return results;
}

}  // namespace harness
