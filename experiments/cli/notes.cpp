#include "experiments/cli/notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "datasets/duplicates.h"
#include "datasets/manifest.h"
#include "datasets/published.h"
#include "experiments/cli/cell.h"
#include "experiments/cli/cell_folder.h"
#include "harness/core/error.h"

namespace experiments {

using harness::Config;

namespace {

bool of_the_recipe(const std::string& key) {
  static const std::vector<std::string> kPrefixes = {"train.", "sampling.", "optimizer.", "prompt.", "reward.", "data."};
  return key != "train.seed" &&
         std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](const std::string& prefix) { return key.starts_with(prefix); });
}

std::vector<std::string> recipe_differences(const PlannedRow& row, const PlannedRow& other) {
  const auto& theirs = other.config.effective();
  std::vector<std::string> parts;
  for (const auto& [key, entry] : row.config.effective()) {
    const auto found = theirs.find(key);
    if (!of_the_recipe(key) || found == theirs.end()) continue;
    const std::string a = harness::to_toml(entry.value), b = harness::to_toml(found->second.value);
    if (a != b) parts.push_back(fmt::format("{} {} (there {})", key, a, b));
  }
  return parts;
}

std::string set_text(const harness::ProblemSet& set, const std::string& split) {
  const std::string hash = set.content_hash();
  const auto entry = datasets::find_entry(set.name, split);
  std::string text = fmt::format("{} {} problems (sha256 {}", set.name, set.problems.size(), hash.substr(0, 8));
  if (entry && entry->content_hash == hash) text += entry->verified ? ", as its origin has it" : ", as in the manifest";
  return text + ")";
}

// Every set named by any row, loaded once; those that cannot be read here are left out (a table can be made without them).
std::vector<harness::ProblemSet> sets_of(const Experiment& experiment, const std::string& split) {
  std::set<std::string> seen;
  std::vector<harness::ProblemSet> sets;
  for (const PlannedRow& row : experiment.rows) {
    Config config = row.config;
    const DataKeys data = read_data(config);
    for (const std::string& name : split == "train" ? data.train : data.sets) {
      if (!seen.insert(name).second) continue;
      try {
        for (harness::ProblemSet& set : datasets::load_sets({name}, split, data.load)) sets.push_back(std::move(set));
      } catch (const harness::Error&) {
      }
    }
  }
  return sets;
}

// Generated sets hold their parts apart by construction; what comes from outside is checked.
std::vector<std::string> data_notes(const Experiment& experiment) {
  const bool trained =
      std::any_of(experiment.rows.begin(), experiment.rows.end(), [](const PlannedRow& row) { return !row.untrained; });
  const std::vector<harness::ProblemSet> test = sets_of(experiment, "test");
  const std::vector<harness::ProblemSet> train = trained ? sets_of(experiment, "train") : std::vector<harness::ProblemSet>{};
  std::vector<std::string> parts, names;
  for (const harness::ProblemSet& set : train) {
    names.push_back(set.name);
    if (datasets::find_published_set(set.name) != nullptr) parts.push_back("trained on " + set_text(set, "train"));
  }
  std::vector<datasets::Contamination> found;
  for (const harness::ProblemSet& set : test) {
    if (datasets::find_published_set(set.name) == nullptr) continue;
    parts.push_back(set_text(set, "test"));
    if (!train.empty()) found.push_back(datasets::check_contamination(train, set));
  }
  std::vector<std::string> notes;
  if (!parts.empty()) notes.push_back(fmt::format("Problem sets: {}.", fmt::join(parts, ", ")));
  if (!found.empty()) {
    notes.push_back(
        fmt::format("Test problems that the training sets ({}) hold too (the same text, 13 words in a row, or a near "
                    "duplicate): {}.",
                    fmt::join(names, ", "), datasets::contamination_line(found)));
  }
  return notes;
}

// Prompts over prompt.prompt_tokens: left out of training and of evaluation, the largest number of any cell.
std::vector<std::string> dropped_notes(const Experiment& experiment) {
  std::map<std::string, int64_t> dropped;  // where -> problems
  std::set<int64_t> limits;
  const auto note = [&](const PlannedCell& cell, const std::string& place) {
    std::optional<harness::Json> done;
    try {
      done = read_done(cell.cell.folder);
    } catch (const harness::Error&) {  // a damaged file is named where its cell is left out
    }
    if (!done || done->value("prompts_dropped", int64_t{0}) == 0) return;
    dropped[place] = std::max(dropped[place], (*done)["prompts_dropped"].get<int64_t>());
    Config config = cell.config;
    limits.insert(config.integer("prompt.prompt_tokens", 1024));
  };
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, cell] : row.train) note(cell, row.base_model + ", training");
    for (const auto& [seed, cell] : row.eval) note(cell, row.base_model + ", test");
  }
  if (dropped.empty()) return {};
  std::vector<std::string> parts;
  for (const auto& [place, count] : dropped) parts.push_back(fmt::format("{} ({})", count, place));
  return {fmt::format("Problems left out because their prompts are longer than {} tokens: {}.", fmt::join(limits, " or "),
                      fmt::join(parts, ", "))};
}

}  // namespace

std::vector<std::string> recipe_notes(const Experiment& experiment) {
  std::vector<std::string> notes;
  for (const PlannedRow& row : experiment.rows) {
    for (const PlannedRow& other : experiment.rows) {
      if (row.compare_to != other.name || row.base_model != other.base_model || row.untrained || other.untrained) continue;
      const std::vector<std::string> parts = recipe_differences(row, other);
      if (parts.empty()) continue;
      notes.push_back(fmt::format("{} differs from {} in its recipe too: {}.", row.name, other.name, fmt::join(parts, ", ")));
    }
  }
  std::sort(notes.begin(), notes.end());
  notes.erase(std::unique(notes.begin(), notes.end()), notes.end());
  return notes;
}

std::vector<std::string> experiment_notes(const Experiment& experiment) {
  std::vector<std::string> notes;
  if (experiment.scale != 1) notes.push_back(scale_note(experiment.scale, experiment.scaled));
  for (auto* part : {&recipe_notes, &data_notes, &dropped_notes}) {
    const std::vector<std::string> lines = (*part)(experiment);
    notes.insert(notes.end(), lines.begin(), lines.end());
  }
  return notes;
}

}  // namespace experiments
