#include "harness/report/verify.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/report/report_folder.h"
#include "harness/report/results/counts_csv.h"
#include "harness/report/table/cluster_table.h"

namespace harness {

namespace {

constexpr size_t kKeyFields = 5;  // base_model, row, source, set, metric of table.csv; five of the others too

using Record = std::vector<std::string>;

// Records of a CSV text by their key.
std::map<Record, Record> by_key(const std::vector<Record>& records) {
  std::map<Record, Record> lines;
  for (size_t i = 1; i < records.size(); ++i) {
    if (records[i].size() >= kKeyFields) lines[Record(records[i].begin(), records[i].begin() + kKeyFields)] = records[i];
  }
  return lines;
}

std::string joined(const Record& key) {
  std::string text;
  for (const std::string& part : key) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

std::string shown(const std::string& field) { return field.empty() ? "nothing" : field; }

// Compares two CSV texts field by field.
void compare_csv(const std::string& name, const std::string& stored, const std::string& derived, Verification& result) {
  const auto old_records = with_context(name, [&] { return read_csv(stored); });
  const auto new_records = read_csv(derived);
  if (old_records.empty() || old_records.front() != new_records.front()) {
    result.differences.push_back(name + ": expected the header of this version, found another");
    return;
  }
  const Record& header = new_records.front();
  const auto old_lines = by_key(old_records);
  const auto new_lines = by_key(new_records);
  for (const auto& [key, line] : new_lines) {
    const auto found = old_lines.find(key);
    if (found == old_lines.end()) {
      result.differences.push_back(fmt::format("{}: {}: stored none, derived a line", name, joined(key)));
      continue;
    }
    for (size_t field = kKeyFields; field < header.size(); ++field) {
      const std::string before = field < found->second.size() ? found->second[field] : "";
      const std::string after = field < line.size() ? line[field] : "";
      ++result.numbers;
      if (before == after) continue;
      result.differences.push_back(
          fmt::format("{}: {}, {}: stored {}, derived {}", name, joined(key), header[field], shown(before), shown(after)));
    }
  }
  for (const auto& [key, line] : old_lines) {
    if (!new_lines.contains(key))
      result.differences.push_back(fmt::format("{}: {}: stored a line, derived none", name, joined(key)));
  }
}

// The first line at which two texts differ, as one line for people.
void compare_text(const std::string& name, const std::string& stored, const std::string& derived, Verification& result) {
  if (stored == derived) return;
  int64_t number = 1;
  size_t old_begin = 0, new_begin = 0;
  while (old_begin <= stored.size() && new_begin <= derived.size()) {
    const std::string old_line = stored.substr(old_begin, stored.find('\n', old_begin) - old_begin);
    const std::string new_line = derived.substr(new_begin, derived.find('\n', new_begin) - new_begin);
    if (old_line != new_line) {
      result.differences.push_back(fmt::format("{}: line {}: stored `{}`, derived `{}`", name, number, old_line, new_line));
      return;
    }
    old_begin += old_line.size() + 1;
    new_begin += new_line.size() + 1;
    ++number;
  }
  result.differences.push_back(fmt::format("{}: line {}: one text ends before the other", name, number));
}

void compare_file(const std::string& folder, const NamedText& file, Verification& result) {
  const std::string path = folder + "/" + file.name;
  if (!std::filesystem::exists(path)) {
    result.differences.push_back(file.name + ": expected the file, found none");
    return;
  }
  const std::string stored = read_file(path);
  static const std::set<std::string> kTables = {"table.csv",    "counts.csv", "conditions.csv",
                                                "verdicts.csv", "noise.csv",  "checkpoints.csv"};
  if (kTables.contains(file.name)) {
    compare_csv(file.name, stored, file.text, result);
  } else if (file.name != "manifest.json" || result.differences.empty()) {
    compare_text(file.name, stored, file.text, result);
  }
}

// Only the pass@k values of table.csv can be had from counts.
void compare_counts_only(const std::string& folder, Verification& result) {
  const Summary summary = summarise(read_counts(folder));
  const auto stored = by_key(with_context("table.csv", [&] { return read_csv(read_file(folder + "/table.csv")); }));
  for (const SummaryRow& row : summary.rows) {
    for (size_t c = 0; c < row.entries.size(); ++c) {
      const Column& column = summary.columns[c];
      if (column.kind() != ColumnKind::pass || column.quantity.kind == Quantity::Kind::maj || !row.source.empty()) continue;
      const Record key{row.base_model, row.name, "", column.set, column.quantity.name()};
      const auto found = stored.find(key);
      const std::string derived = csv_number(row.entries[c].mean.value);
      const std::string before = found == stored.end() || found->second.size() <= kKeyFields ? "" : found->second[kKeyFields];
      ++result.numbers;
      if (before != derived) {
        result.differences.push_back(
            fmt::format("table.csv: {}, value: stored {}, derived {}", joined(key), shown(before), shown(derived)));
      }
    }
  }
}

// clusters.md follows from clusters.csv. False: there is none.
bool compare_cluster_table(const std::string& folder, Verification& result) {
  const std::string path = folder + "/clusters.csv";
  if (!std::filesystem::exists(path)) return false;
  const auto records = with_context(path, [&] { return read_clusters_csv(read_file(path)); });
  result.numbers += static_cast<int64_t>(3 * records.size());
  compare_file(folder, {"clusters.md", clusters_markdown(records)}, result);
  return true;
}

bool any_outcomes_there(const ExperimentRecord& record, const std::string& folder) {
  return std::any_of(record.rows.begin(), record.rows.end(), [&](const RowRecord& row) {
    return std::any_of(row.records.begin(), row.records.end(), [&](const SeedRecord& seed) {
      return !seed.outcomes.empty() && std::filesystem::exists(std::filesystem::path(folder) / seed.outcomes);
    });
  });
}

}  // namespace

Verification verify_folder(const std::string& folder) {
  Verification result;
  if (!any_outcomes_there(read_experiment_record(folder), folder)) {
    compare_counts_only(folder, result);
    const bool clusters = compare_cluster_table(folder, result);
    result.notes.push_back(
        fmt::format("no outcome file of this folder is here: pass@k was derived from counts.csv{}, nothing else was checked",
                    clusters ? " and clusters.md from clusters.csv" : ""));
    return result;
  }
  const ExperimentResults results = read_results(folder);
  for (const std::string& warning : results.warnings) result.differences.push_back("not derivable: " + warning);
  for (const NamedText& file : table_files(results, summarise(results))) compare_file(folder, file, result);
  return result;
}

}  // namespace harness
