#include "datasets/locate.h"

#include <algorithm>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/data/problem_catalog.h"
#include "harness/data/records.h"

namespace datasets {
namespace {

namespace fs = std::filesystem;

// The folders under `data_dir` in which a copy of the hub's repository may lie.
std::vector<std::string> hub_folders(const PublishedSet& set, const std::string& data_dir) {
  std::vector<std::string> folders = {data_dir + "/" + set.name};
  for (const HubSource& source : set.sources) {
    std::string flat = source.repository;
    flat.replace(flat.find('/'), 1, "--");
    const std::string last = source.repository.substr(source.repository.find('/') + 1);
    for (const std::string& name : {source.repository, flat, last}) {
      folders.push_back(data_dir + "/" + name + "/" + source.folder);
    }
  }
  return folders;
}

std::vector<std::string> in_cache(const PublishedSet& set, const std::string& split, const harness::Environment& environment) {
  const std::string cache = harness::hub_cache_folder(environment);
  for (const HubSource& source : set.sources) {
    const auto snapshot = harness::find_snapshot(cache, {harness::RepositoryKind::dataset, source.repository, "main"});
    if (!snapshot) continue;
    auto files = files_of_split(set, split, *snapshot + "/" + source.folder);
    if (!files.empty()) return files;
  }
  return {};
}

}  // namespace

std::vector<std::string> files_of_split(const PublishedSet& set, const std::string& split, const std::string& folder) {
  std::vector<std::string> all;
  std::vector<std::string> named;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!fs::is_regular_file(entry->path()) || !harness::has_record_ending(name) || name.ends_with(".json")) continue;
    all.push_back(entry->path().string());
    if (name.starts_with(split)) named.push_back(all.back());
  }
  auto& files = named.empty() && set.splits.size() == 1 ? all : named;
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> locate_set(const PublishedSet& set, const std::string& split, const std::string& data_dir,
                                    const harness::Environment& environment) {
  const std::string dir = data_dir.empty() ? environment("MEDSBENCH_DATA") : data_dir;
  if (!dir.empty() && !fs::is_directory(dir)) throw harness::Error("{}: expected the folder of the data sets, found none", dir);
  std::vector<std::string> stems = {set.name + "_" + split};
  if (set.splits.size() == 1) stems.insert(stems.begin(), set.name);
  if (!dir.empty()) {
    for (const std::string& stem : stems) {
      for (const std::string& ending : harness::record_endings()) {
        const std::string path = fmt::format("{}/{}{}", dir, stem, ending);
        if (fs::is_regular_file(path)) return {path};
      }
    }
    for (const std::string& folder : hub_folders(set, dir)) {
      auto files = files_of_split(set, split, folder);
      if (!files.empty()) return files;
    }
  }
  auto files = in_cache(set, split, environment);
  if (!files.empty()) return files;
  std::vector<std::string> repositories;
  for (const HubSource& source : set.sources) repositories.push_back(source.repository);
  throw harness::AbsentSet(
      "{}: expected {}.jsonl (or .jsonl.gz, .jsonl.zst, .csv, .parquet) in {}, or the hub's {} in its cache, found none; "
      "`medsbench data fetch {}` fetches it",
      set.name, stems.front(), dir.empty() ? "the folder that --data or MEDSBENCH_DATA names (neither is set)" : dir,
      fmt::join(repositories, " or "), set.name);
}

}  // namespace datasets
