// data: the problem sets: which there are, whether they are whole, one problem, fetching them from a hub.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "datasets/catalog.h"
#include "datasets/duplicates.h"
#include "datasets/locate.h"
#include "datasets/manifest.h"
#include "datasets/published.h"
#include "datasets/records.h"
#include "experiments/cli/fetch_bar.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/hub/hub.h"

namespace experiments {
namespace {

struct DataOptions {
  datasets::LoadSettings load;
  std::string name;
  std::string split;
  int64_t index = 0;
  std::vector<std::string> train;
  std::vector<std::string> test;
};

// Where the set's files lie, or "" where they are missing.
std::string found_at(const datasets::PublishedSet& set, const std::string& split, const std::string& data_dir) {
  try {
    return datasets::locate_set(set, split, data_dir).front();
  } catch (const harness::Error&) {
    return "";
  }
}

int list_sets(const DataOptions& options) {
  fmt::print("{:<14} {:<22} {:>8}  {:<8} {}\n", "set", "splits", "problems", "licence", "where");
  for (const std::string& name : datasets::set_names()) {
    const datasets::PublishedSet* set = datasets::find_published_set(name);
    if (set == nullptr) {
      std::vector<std::string> counts;
      for (const std::string& split : datasets::splits_of(name)) {
        counts.push_back(std::to_string(datasets::load_set(name, options.load, split).problems.size()));
      }
      fmt::print("{:<14} {:<22} {:>8}  {:<8} generated\n", name, "train validation test",
                 fmt::format("{}", fmt::join(counts, "/")), "-");
      continue;
    }
    for (const std::string& split : set->splits) {
      const auto entry = datasets::find_entry(name, split);
      const std::string place = found_at(*set, split, options.load.data_dir);
      fmt::print("{:<14} {:<22} {:>8}  {:<8} {}\n", name, split, entry->problems > 0 ? std::to_string(entry->problems) : "-",
                 entry->licence, place.empty() ? "not found; hub: " + entry->origin : place);
    }
  }
  return 0;
}

// Reads every published set that is there and compares it with the manifest. Returns the number that differ.
int64_t check_files(const DataOptions& options) {
  int64_t wrong = 0;
  for (const datasets::ManifestEntry& entry : datasets::manifest()) {
    const datasets::PublishedSet& set = *datasets::find_published_set(entry.name);
    const std::string label = entry.name + ":" + entry.split;
    if (found_at(set, entry.split, options.load.data_dir).empty()) {
      fmt::print("{:<20} not found\n", label);
      continue;
    }
    try {
      const auto read = datasets::read_published(set, datasets::locate_set(set, entry.split, options.load.data_dir));
      const auto result = datasets::check_set(read.set, entry);
      wrong += result == datasets::CheckResult::differs;
      fmt::print("{:<20} {}; {} problems (manifest {}), {} rows, {} met again ({} with another answer), sha256 {}\n", label,
                 datasets::to_string(result), read.set.problems.size(),
                 entry.problems > 0 ? std::to_string(entry.problems) : "unknown", read.counts.rows, read.counts.duplicates,
                 read.counts.conflicts, read.set.content_hash());
    } catch (const harness::Error& error) {
      ++wrong;
      fmt::print("{:<20} {}\n", label, error.what());
    }
  }
  return wrong;
}

// The names of the published sets that are there and have the split.
std::vector<std::string> names_with(const std::string& split, const std::string& data_dir) {
  std::vector<std::string> names;
  for (const datasets::PublishedSet& set : datasets::published_sets()) {
    const bool has = std::find(set.splits.begin(), set.splits.end(), split) != set.splits.end();
    if (has && !found_at(set, split, data_dir).empty()) names.push_back(set.name);
  }
  return names;
}

int check_sets(const DataOptions& options) {
  const int64_t wrong = check_files(options);
  const auto train_names = options.train.empty() ? names_with("train", options.load.data_dir) : options.train;
  const auto test_names = options.test.empty() ? names_with("test", options.load.data_dir) : options.test;
  const auto train = datasets::load_sets(train_names, "train", options.load);
  std::vector<datasets::Contamination> all;
  for (const harness::ProblemSet& test : datasets::load_sets(test_names, "test", options.load)) {
    all.push_back(datasets::check_contamination(train, test));
    for (const datasets::Overlap& overlap : all.back().overlaps) {
      fmt::print("{} is {} of {} in {} (Jaccard {:.2f})\n", overlap.test_id,
                 overlap.kind == datasets::OverlapKind::ngram ? "13-gram neighbour" : datasets::to_string(overlap.kind),
                 overlap.train_id, overlap.train_set, overlap.jaccard);
    }
  }
  if (train.empty() || all.empty()) {
    fmt::print("test problems in the training sets: nothing to compare\n");
  } else {
    fmt::print("test problems in the training sets ({}): {}\n", fmt::join(train_names, ", "),
               datasets::contamination_line(all));
  }
  return wrong == 0 ? 0 : 1;
}

// The split that is shown where none is named: the test problems, or what the set has instead; "" for a file.
std::string shown_split(const DataOptions& options) {
  const datasets::SetName name = datasets::parse_set_name(options.name);
  if (!options.split.empty() || !name.split.empty()) return options.split;
  const std::vector<std::string> known = datasets::set_names();
  if (std::find(known.begin(), known.end(), name.name) == known.end()) return "";
  const std::vector<std::string> splits = datasets::splits_of(name.name);
  return std::find(splits.begin(), splits.end(), "test") != splits.end() ? "test" : splits.front();
}

int show_problem(const DataOptions& options) {
  const harness::ProblemSet set = datasets::load_set(options.name, options.load, shown_split(options));
  if (options.index < 0 || options.index >= std::ssize(set.problems)) {
    throw harness::Error("{}: expected an index from 0 to {}, found {}", options.name, set.problems.size() - 1, options.index);
  }
  const harness::Problem& problem = set.problems[static_cast<size_t>(options.index)];
  harness::OrderedJson line{{"id", problem.id},         {"set", problem.set},
                            {"kind", problem.kind},     {"text", problem.text},
                            {"answer", problem.answer}, {"hash", fmt::format("{:016x}", problem.hash())}};
  if (!problem.answers.empty()) line["answers"] = problem.answers;
  if (!problem.unit.empty()) line["unit"] = problem.unit;
  if (!problem.answer_type.empty()) line["answer_type"] = problem.answer_type;
  if (!problem.tolerance.empty()) line["tolerance"] = problem.tolerance;
  if (problem.has_error_labels) line["error_labels"] = problem.error_labels;
  fmt::print("{}\n", harness::dump_line(line));
  return 0;
}

// Compares what was fetched with the manifest; true if nothing differs.
bool check_fetched(const datasets::PublishedSet& set, const std::string& folder) {
  bool right = true;
  for (const std::string& split : set.splits) {
    const auto read = datasets::read_published(set, datasets::files_of_split(set, split, folder));
    const auto result = datasets::check_set(read.set, *datasets::find_entry(set.name, split));
    right = right && result != datasets::CheckResult::differs;
    fmt::print("{}:{} {} problems, {}, sha256 {}\n", set.name, split, read.set.problems.size(), datasets::to_string(result),
               read.set.content_hash());
  }
  return right;
}

// The first of the set's origins that gives it is used.
int fetch_set(const DataOptions& options) {
  const std::string name = datasets::parse_set_name(options.name).name;
  const datasets::PublishedSet* set = datasets::find_published_set(name);
  if (set == nullptr) {
    (void)datasets::splits_of(name);  // names the nearest set
    throw harness::Error("{}: expected a published set, found one that is generated or a file", name);
  }
  const harness::HubSettings settings = harness::hub_settings();
  std::vector<std::string> failures;
  for (const datasets::HubSource& source : set->sources) {
    const auto wanted = [&](const std::string& path) {
      return path.starts_with(source.folder) && datasets::has_record_ending(path) && !path.ends_with(".json");
    };
    std::string folder;
    try {
      FetchBar bar(source.repository);
      folder = harness::fetch_repository(settings, {harness::RepositoryKind::dataset, source.repository, "main"}, wanted,
                                         bar.report()) +
               "/" + source.folder;
    } catch (const harness::Error& error) {
      failures.emplace_back(error.what());
      continue;
    }
    fmt::print("{}\n", folder);
    return check_fetched(*set, folder) ? 0 : 1;
  }
  throw harness::Error("{}: {}", name, fmt::join(failures, "; "));
}

}  // namespace

void add_data(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<DataOptions>();
  CLI::App* data = app.add_subcommand("data", "the problem sets");
  data->require_subcommand(1);
  const auto common = [options](CLI::App* verb) {
    verb->add_option("--data", options->load.data_dir,
                     "folder of the published sets (else MEDSBENCH_DATA, else the hub's cache)");
    verb->add_option("--data-seed", options->load.data_seed, "seed of the generated sets");
  };
  CLI::App* list = data->add_subcommand("list", "the sets, their splits and where they are");
  common(list);
  list->callback([options, &chosen] { chosen = [options] { return list_sets(*options); }; });

  CLI::App* check = data->add_subcommand("check", "hashes against the manifest, duplicates between training and test sets");
  common(check);
  check->add_option("--train", options->train, "training sets of the comparison (else all that are there)");
  check->add_option("--test", options->test, "test sets of the comparison (else all that are there)");
  check->callback([options, &chosen] { chosen = [options] { return check_sets(*options); }; });

  CLI::App* show = data->add_subcommand("show", "one problem as a line of JSON");
  common(show);
  show->add_option("name", options->name, "the set, e.g. nano/prec:test or math500, or a file")->required();
  show->add_option("--split", options->split, "train, validation or test (default: test, where the set has it)");
  show->add_option("--index", options->index, "which problem, from 0");
  show->callback([options, &chosen] { chosen = [options] { return show_problem(*options); }; });

  CLI::App* fetch = data->add_subcommand("fetch", "a published set from its hub into the hub's cache, checked");
  fetch->add_option("name", options->name, "the set, e.g. gsm8k")->required();
  fetch->callback([options, &chosen] { chosen = [options] { return fetch_set(*options); }; });
}

}  // namespace experiments
