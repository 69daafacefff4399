#include "datasets/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "datasets/locate.h"
#include "datasets/published.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/nearest_name.h"
#include "harness/data/records.h"

namespace datasets {
namespace {

using harness::Error;
using harness::Problem;
using harness::ProblemSet;
using harness::RandomStream;

constexpr const char* kNanoPrefix = "nano/";

bool is_generated(const std::string& name) { return name == "words" || name.starts_with(kNanoPrefix); }

bool is_file_name(const std::string& name) { return harness::has_record_ending(name); }

// A keyed choice of `count` problems by their hashes: the same problems whatever the order of the file.
std::set<uint64_t> keyed_choice(const ProblemSet& set, const std::string& purpose, uint64_t seed, int64_t count) {
  std::vector<std::pair<uint64_t, uint64_t>> order;  // key of the draw, problem hash
  for (const Problem& problem : set.problems) {
    order.emplace_back(RandomStream(purpose, {seed, problem.hash()}).bits(0), problem.hash());
  }
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  std::set<uint64_t> chosen;
  for (int64_t i = 0; i < std::min<int64_t>(count, std::ssize(order)); ++i) chosen.insert(order[static_cast<size_t>(i)].second);
  return chosen;
}

void keep(ProblemSet& set, const std::set<uint64_t>& hashes, bool inside) {
  std::erase_if(set.problems, [&](const Problem& problem) { return hashes.contains(problem.hash()) != inside; });
}

// Leaves a problem only in the first set that has it.
void drop_repeated(std::vector<ProblemSet>& sets) {
  std::set<uint64_t> seen;
  for (ProblemSet& set : sets) {
    std::set<uint64_t> own;
    std::erase_if(set.problems, [&](const Problem& problem) {
      own.insert(problem.hash());
      return seen.contains(problem.hash());
    });
    seen.insert(own.begin(), own.end());
  }
}

ProblemSet generated_set(const std::string& name, const std::string& split, const LoadSettings& settings) {
  const bool words = name == "words";
  const SuiteSplits splits =
      words ? make_word_splits(settings.data_seed, settings.words) : make_nano_splits(settings.data_seed, settings.nano);
  const auto& sets = split == "train" ? splits.train : split == "validation" ? splits.validation : splits.test;
  return sets.at(words ? name : name.substr(std::string(kNanoPrefix).size()));
}

ProblemSet published_set(const PublishedSet& entry, const std::string& split, const LoadSettings& settings) {
  const bool validation = split == "validation";
  ProblemSet set = read_published(entry, locate_set(entry, validation ? "train" : split, settings.data_dir)).set;
  if (settings.validation > 0 && split != "test") {
    keep(set, keyed_choice(set, "validation split", settings.data_seed, settings.validation), validation);
  }
  return set;
}

ProblemSet file_set(const std::string& name, const LoadSettings& settings) {
  const bool here = name.find('/') != std::string::npos || settings.data_dir.empty();
  const std::string path = here ? name : settings.data_dir + "/" + name;
  return read_published(plain_set(std::filesystem::path(name).filename().string(), settings.fields), {path}).set;
}

// The split that is meant, checked against those that the set has.
std::string choose_split(const std::string& name, const std::string& own, const std::string& asked,
                         const LoadSettings& settings) {
  std::vector<std::string> splits = splits_of(name);
  if (settings.validation > 0 && !is_generated(name) && splits.front() == "train") splits.emplace_back("validation");
  std::string split = own.empty() ? asked : own;
  if (split.empty() && splits.size() == 1) split = splits.front();
  if (std::find(splits.begin(), splits.end(), split) == splits.end()) {
    throw Error("{}: expected one of the splits {}, found {}", name, fmt::join(splits, ", "),
                split.empty() ? "none named" : split);
  }
  return split;
}

class Solutions : public DemonstrationSource {
 public:
  Solutions(const PublishedSet& entry, const LoadSettings& settings) : seed_(settings.data_seed) {
    // Twice from the file: once for what the splits and the limit leave, once with the solutions.
    std::set<uint64_t> training;
    for (const Problem& problem : load_set(entry.name, settings, "train").problems) training.insert(problem.hash());
    const ReadSet read = read_published(entry, locate_set(entry, "train", settings.data_dir));
    for (size_t i = 0; i < read.set.problems.size(); ++i) {
      const Problem& problem = read.set.problems[i];
      if (read.solutions[i].empty() || !training.contains(problem.hash())) continue;
      demonstrations_.push_back(
          {problem.text, read.solutions[i], "right", problem.kind.empty() ? entry.name : problem.kind, false, true});
    }
    if (demonstrations_.empty()) throw Error("{}: expected worked solutions with a boxed answer, found none", entry.name);
  }

  [[nodiscard]] Demonstration draw(uint64_t index) const override {
    const uint64_t count = demonstrations_.size();
    const auto order = harness::epoch_order(static_cast<int64_t>(count), seed_, static_cast<int64_t>(index / count));
    return demonstrations_[static_cast<size_t>(order[index % count])];
  }

 private:
  uint64_t seed_;
  std::vector<Demonstration> demonstrations_;
};

[[noreturn]] void refuse_name(const std::string& name) {
  throw Error("{}: no such problem set (`medsbench data list` names them){}", name, harness::nearest_text(name, set_names()));
}

}  // namespace

int64_t limit_of(const LoadSettings& settings, const std::string& split) {
  return split == "train" && settings.train_limit > 0 ? settings.train_limit : settings.limit;
}

SetName parse_set_name(const std::string& name) {
  if (name == "gsm8k_train") return {"gsm8k", "train"};
  if (name == "gsm8k_test") return {"gsm8k", "test"};
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) return {name, ""};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

std::vector<std::string> sets_of_suite(const std::string& name) {
  std::vector<std::string> sets;
  if (name == "nano") sets = nano_set_names();
  if (name == "arena") sets = arena_set_names();
  for (std::string& set : sets) set = kNanoPrefix + set;
  return sets;
}

std::vector<std::string> set_names() {
  std::vector<std::string> names = sets_of_suite("arena");
  names.emplace_back("words");
  for (const PublishedSet& set : published_sets()) names.push_back(set.name);
  return names;
}

std::vector<std::string> splits_of(const std::string& name) {
  if (is_file_name(name)) return {"train", "validation", "test"};
  const auto names = set_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) refuse_name(name);
  if (is_generated(name)) return {"train", "validation", "test"};
  return find_published_set(name)->splits;
}

ProblemSet load_set(const std::string& name, const LoadSettings& settings, const std::string& split) {
  const SetName parsed = parse_set_name(name);
  const bool file = is_file_name(parsed.name);
  const std::string chosen =
      file && split.empty() && parsed.split.empty() ? "train" : choose_split(parsed.name, parsed.split, split, settings);
  ProblemSet set;
  if (file) {
    set = file_set(parsed.name, settings);
  } else if (is_generated(parsed.name)) {
    set = generated_set(parsed.name, chosen, settings);
  } else {
    set = published_set(*find_published_set(parsed.name), chosen, settings);
  }
  if (const int64_t limit = limit_of(settings, chosen); limit > 0) {
    keep(set, keyed_choice(set, "set limit", settings.data_seed, limit), true);
  }
  return set;
}

std::vector<ProblemSet> load_sets(const std::vector<std::string>& names, const std::string& split,
                                  const LoadSettings& settings) {
  std::vector<ProblemSet> sets;
  for (const std::string& name : names) {
    const SetName parsed = parse_set_name(name);
    const std::vector<std::string> parts = sets_of_suite(parsed.name);
    if (parts.empty()) sets.push_back(load_set(name, settings, split));
    for (const std::string& part : parts) sets.push_back(load_set(part, settings, parsed.split.empty() ? split : parsed.split));
  }
  if (split == "train") drop_repeated(sets);
  return sets;
}

std::string files_identity(const std::vector<std::string>& names, const std::string& data_dir) {
  std::string whole;
  for (const std::string& name : names) {
    const SetName parsed = parse_set_name(name);
    if (is_file_name(parsed.name)) {
      const bool there = std::filesystem::exists(parsed.name);
      whole += fmt::format("{} {}\n", parsed.name, there ? harness::sha256_file(parsed.name) : "absent");
      continue;
    }
    const PublishedSet* published = find_published_set(parsed.name);
    if (published == nullptr) continue;
    for (const std::string& split : parsed.split.empty() ? splits_of(parsed.name) : std::vector<std::string>{parsed.split}) {
      if (split == "validation") continue;  // a part of the training set
      whole += fmt::format("{}:{}", parsed.name, split);
      try {
        for (const std::string& file : locate_set(*published, split, data_dir)) whole += " " + harness::sha256_file(file);
      } catch (const Error&) {
        whole += " absent";
      }
      whole += "\n";
    }
  }
  return whole.empty() ? "" : harness::sha256_hex(whole);
}

std::unique_ptr<DemonstrationSource> load_demonstrations(const std::string& name, const LoadSettings& settings) {
  if (name == "words") return word_demonstrations(settings.data_seed, settings.words);
  if (name == "arena" || name == "nano/errors") return arena_demonstrations(settings.data_seed, settings.nano);
  if (name == "nano" || is_generated(name)) return nano_demonstrations(settings.data_seed, settings.nano);
  const PublishedSet* published = find_published_set(name);
  if (published != nullptr && has_solutions(*published)) return std::make_unique<Solutions>(*published, settings);
  throw Error("{}: expected one of {}, the sets with demonstrations", name, fmt::join(demonstration_names(), ", "));
}

std::vector<std::string> demonstration_names() {
  std::vector<std::string> names = {"nano", "arena", "words"};
  for (const PublishedSet& set : published_sets()) {
    if (has_solutions(set)) names.push_back(set.name);
  }
  return names;
}

}  // namespace datasets
