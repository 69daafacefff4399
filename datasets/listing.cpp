#include "datasets/listing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "datasets/duplicates.h"
#include "datasets/locate.h"
#include "datasets/manifest.h"
#include "datasets/published.h"
#include "harness/core/error.h"
#include "harness/data/records.h"

namespace datasets {

namespace {

using harness::Error;

// Where the set's files lie, or "" where they are missing.
std::string found_at(const PublishedSet& set, const std::string& split, const std::string& data_dir) {
  try {
    return locate_set(set, split, data_dir).front();
  } catch (const Error&) {
    return "";
  }
}

std::string count_text(int64_t problems, const char* unknown) { return problems > 0 ? std::to_string(problems) : unknown; }

// Compares every published set that is there with the manifest; returns the number that differ.
int64_t check_files(const LoadSettings& load, const Say& say) {
  int64_t wrong = 0;
  for (const ManifestEntry& entry : manifest()) {
    const PublishedSet& set = *find_published_set(entry.name);
    const std::string label = entry.name + ":" + entry.split;
    if (found_at(set, entry.split, load.data_dir).empty()) {
      say(fmt::format("{:<20} not found", label));
      continue;
    }
    try {
      const auto read = read_published(set, locate_set(set, entry.split, load.data_dir));
      const auto result = check_set(read.set, entry);
      wrong += result == CheckResult::differs;
      say(fmt::format("{:<20} {}; {} problems (manifest {}), {} rows, {} met again ({} with another answer), sha256 {}", label,
                      to_string(result), read.set.problems.size(), count_text(entry.problems, "unknown"), read.counts.rows,
                      read.counts.duplicates, read.counts.conflicts, read.set.content_hash()));
    } catch (const Error& error) {
      ++wrong;
      say(fmt::format("{:<20} {}", label, error.what()));
    }
  }
  return wrong;
}

// The names of the published sets that are there and have the split.
std::vector<std::string> names_with(const std::string& split, const std::string& data_dir) {
  std::vector<std::string> names;
  for (const PublishedSet& set : published_sets()) {
    const bool has = std::find(set.splits.begin(), set.splits.end(), split) != set.splits.end();
    if (has && !found_at(set, split, data_dir).empty()) names.push_back(set.name);
  }
  return names;
}

// The split that is shown where none is named: the test problems, or what the set has instead; "" for a file.
std::string shown_split(const std::string& given, const std::string& split) {
  const SetName name = parse_set_name(given);
  if (!split.empty() || !name.split.empty()) return split;
  const std::vector<std::string> known = set_names();
  if (std::find(known.begin(), known.end(), name.name) == known.end()) return "";
  const std::vector<std::string> splits = splits_of(name.name);
  return std::find(splits.begin(), splits.end(), "test") != splits.end() ? "test" : splits.front();
}

// True if nothing of what was fetched differs from the manifest.
bool check_fetched(const PublishedSet& set, const std::string& folder, const Say& say) {
  bool right = true;
  for (const std::string& split : set.splits) {
    const auto read = read_published(set, files_of_split(set, split, folder));
    const auto result = check_set(read.set, *find_entry(set.name, split));
    right = right && result != CheckResult::differs;
    say(fmt::format("{}:{} {} problems, {}, sha256 {}", set.name, split, read.set.problems.size(), to_string(result),
                    read.set.content_hash()));
  }
  return right;
}

}  // namespace

void list_sets(const LoadSettings& load, const Say& say) {
  say(fmt::format("{:<14} {:<22} {:>8}  {:<8} {}", "set", "splits", "problems", "licence", "where"));
  for (const std::string& name : set_names()) {
    const PublishedSet* set = find_published_set(name);
    if (set == nullptr) {
      std::vector<std::string> counts;
      for (const std::string& split : splits_of(name)) {
        counts.push_back(std::to_string(load_set(name, load, split).problems.size()));
      }
      say(fmt::format("{:<14} {:<22} {:>8}  {:<8} generated", name, "train validation test", fmt::join(counts, "/"), "-"));
      continue;
    }
    for (const std::string& split : set->splits) {
      const auto entry = find_entry(name, split);
      const std::string place = found_at(*set, split, load.data_dir);
      say(fmt::format("{:<14} {:<22} {:>8}  {:<8} {}", name, split, count_text(entry->problems, "-"), entry->licence,
                      place.empty() ? "not found; hub: " + entry->origin : place));
    }
  }
}

int64_t check_sets(const LoadSettings& load, const std::vector<std::string>& train, const std::vector<std::string>& test,
                   const Say& say) {
  const int64_t wrong = check_files(load, say);
  const auto train_names = train.empty() ? names_with("train", load.data_dir) : train;
  const auto test_names = test.empty() ? names_with("test", load.data_dir) : test;
  const auto train_sets = load_sets(train_names, "train", load);
  std::vector<Contamination> all;
  for (const harness::ProblemSet& set : load_sets(test_names, "test", load)) {
    all.push_back(check_contamination(train_sets, set));
    for (const Overlap& overlap : all.back().overlaps) {
      say(fmt::format("{} is {} of {} in {} (Jaccard {:.2f})", overlap.test_id,
                      overlap.kind == OverlapKind::ngram ? "13-gram neighbour" : to_string(overlap.kind), overlap.train_id,
                      overlap.train_set, overlap.jaccard));
    }
  }
  if (train_sets.empty() || all.empty()) {
    say("test problems in the training sets: nothing to compare");
  } else {
    say(fmt::format("test problems in the training sets ({}): {}", fmt::join(train_names, ", "), contamination_line(all)));
  }
  return wrong;
}

harness::OrderedJson problem_json(const std::string& name, const std::string& split, int64_t index, const LoadSettings& load) {
  const harness::ProblemSet set = load_set(name, load, shown_split(name, split));
  if (index < 0 || index >= std::ssize(set.problems)) {
    throw Error("{}: expected an index from 0 to {}, found {}", name, set.problems.size() - 1, index);
  }
  const harness::Problem& problem = set.problems[static_cast<size_t>(index)];
  harness::OrderedJson line{{"id", problem.id},         {"set", problem.set},
                            {"kind", problem.kind},     {"text", problem.text},
                            {"answer", problem.answer}, {"hash", fmt::format("{:016x}", problem.hash())}};
  if (!problem.answers.empty()) line["answers"] = problem.answers;
  if (!problem.unit.empty()) line["unit"] = problem.unit;
  if (!problem.answer_type.empty()) line["answer_type"] = problem.answer_type;
  if (!problem.tolerance.empty()) line["tolerance"] = problem.tolerance;
  if (problem.has_error_labels) line["error_labels"] = problem.error_labels;
  if (!problem.error_openings.empty()) line["error_openings"] = problem.error_openings;
  return line;
}

bool fetch_set(const std::string& given, const std::function<harness::ProgressReport(const std::string&)>& report_to,
               const Say& say) {
  const std::string name = parse_set_name(given).name;
  const PublishedSet* set = find_published_set(name);
  if (set == nullptr) {
    (void)splits_of(name);  // names the nearest set
    throw Error("{}: expected a published set, found one that is generated or a file", name);
  }
  const harness::HubSettings settings = harness::hub_settings();
  std::vector<std::string> failures;
  for (const HubSource& source : set->sources) {
    const auto wanted = [&](const std::string& path) {
      return path.starts_with(source.folder) && harness::has_record_ending(path) && !path.ends_with(".json");
    };
    std::string folder;
    try {
      const harness::HubRepository repository{harness::RepositoryKind::dataset, source.repository, "main"};
      folder = harness::fetch_repository(settings, repository, wanted, report_to(source.repository)) + "/" + source.folder;
    } catch (const Error& error) {
      failures.emplace_back(error.what());
      continue;
    }
    say(folder);
    return check_fetched(*set, folder, say);
  }
  throw Error("{}: {}", name, fmt::join(failures, "; "));
}

}  // namespace datasets
