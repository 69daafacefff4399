#include "harness/experiment/check/finding.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <tuple>

namespace harness {

namespace {

// `file`: of the experiment; origins of its keys begin with it.
std::string place_of_entry(const std::string& file, const std::string& key, const Config::Entry* entry) {
  if (entry == nullptr) return fmt::format("{}: {}", file, key);
  if (entry->origin.starts_with(file) || entry->origin.starts_with("--")) return fmt::format("{}: {}", entry->origin, key);
  return fmt::format("{}: {} ({})", file, key, entry->origin);
}

const Config::Entry* find_in(const Config::Entries& entries, const std::string& key) {
  const auto found = entries.find(key);
  return found == entries.end() ? nullptr : &found->second;
}

// The number after "line "; the largest where there is none.
int64_t line_of(const std::string& place) {
  constexpr std::string_view kLine = ": line ";
  int64_t line = std::numeric_limits<int64_t>::max();
  if (const size_t at = place.find(kLine); at != std::string::npos) {
    std::from_chars(place.data() + at + kLine.size(), place.data() + place.size(), line);
  }
  return line;
}

}  // namespace

std::string finding_text(const Finding& finding) {
  static constexpr const char* kNames[] = {"error", "missing", "warning"};
  std::string text = fmt::format("{}: {}: {}", kNames[static_cast<size_t>(finding.severity)], finding.place, finding.what);
  if (!finding.way_out.empty()) text += "; " + finding.way_out;
  if (!finding.rows.empty()) {
    text += fmt::format(" (row{} {})", finding.rows.size() == 1 ? "" : "s", fmt::join(finding.rows, ", "));
  }
  return text;
}

void FindingList::add(const PlannedRow& row, const std::string& key, Finding finding) {
  const Config::Entry* entry = find_in(row.effective, key);
  if (entry == nullptr) entry = find_in(row.head, key);
  finding.place = place_of_entry(experiment_.file, key, entry);
  finding.rows = {row.name};
  add(std::move(finding));
}

void FindingList::add(const std::string& key, Finding finding) {
  finding.place = place_of_entry(experiment_.file, key, find_in(experiment_.head, key));
  add(std::move(finding));
}

void FindingList::add(Finding finding) {
  const auto same = std::find_if(findings_.begin(), findings_.end(), [&](const Finding& other) {
    return std::tie(other.severity, other.place, other.what, other.way_out) ==
           std::tie(finding.severity, finding.place, finding.what, finding.way_out);
  });
  if (same == findings_.end()) {
    findings_.push_back(std::move(finding));
    return;
  }
  for (std::string& row : finding.rows) {
    if (std::find(same->rows.begin(), same->rows.end(), row) == same->rows.end()) same->rows.push_back(std::move(row));
  }
}

std::vector<Finding> FindingList::sorted() && {
  std::set<std::string> rows;
  for (const PlannedRow& row : experiment_.rows) rows.insert(row.name);
  for (Finding& finding : findings_) {
    if (finding.rows.size() == rows.size()) finding.rows.clear();
  }
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
    return std::make_tuple(a.severity, line_of(a.place)) < std::make_tuple(b.severity, line_of(b.place));
  });
  return std::move(findings_);
}

}  // namespace harness
