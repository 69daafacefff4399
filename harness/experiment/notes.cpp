#include "harness/experiment/notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/core/error.h"
#include "harness/experiment/jobs/folder.h"
#include "harness/experiment/jobs/settings.h"

namespace harness {

namespace {

bool of_the_recipe(const std::string& key) {
  static const std::vector<std::string> kPrefixes = {"train.", "sampling.", "optimizer.", "prompt.", "reward.", "data."};
  return key != "train.seed" &&
         std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](const std::string& prefix) { return key.starts_with(prefix); });
}

std::vector<std::string> recipe_differences(const PlannedRow& row, const PlannedRow& other) {
  std::vector<std::string> parts;
  for (const auto& [key, entry] : row.effective) {
    const auto found = other.effective.find(key);
    if (!of_the_recipe(key) || found == other.effective.end()) continue;
    const std::string a = to_toml(entry.value), b = to_toml(found->second.value);
    if (a != b) parts.push_back(fmt::format("{} {} (there {})", key, a, b));
  }
  return parts;
}

// Every set named by any row, loaded once; those that cannot be read here are left out (a table can be made without them).
std::vector<ProblemSet> sets_of(const Experiment& experiment, const std::string& split) {
  std::set<std::string> seen;
  std::vector<ProblemSet> sets;
  for (const PlannedRow& row : experiment.rows) {
    const DataKeys& data = row.eval_job->data;
    for (const std::string& name : split == "train" ? data.train : data.test) {
      if (!seen.insert(name).second) continue;
      try {
        for (ProblemSet& set : data.source->load({name}, split)) sets.push_back(std::move(set));
      } catch (const Error&) {
      }
    }
  }
  return sets;
}

std::vector<std::string> data_notes(const Experiment& experiment, const ProblemCatalog& catalog) {
  const bool trained =
      std::any_of(experiment.rows.begin(), experiment.rows.end(), [](const PlannedRow& row) { return !row.untrained; });
  return catalog.footer_notes(trained ? sets_of(experiment, "train") : std::vector<ProblemSet>{}, sets_of(experiment, "test"));
}

// Prompts over prompt.prompt_tokens: left out of training and of evaluation, the largest number of any job.
std::vector<std::string> dropped_notes(const Experiment& experiment) {
  std::map<std::string, int64_t> dropped;  // where -> problems
  std::set<int64_t> limits;
  const auto note = [&](const PlannedJob& job, const PlannedRow& row, const std::string& place) {
    std::optional<Json> done;
    try {
      done = read_done(job.job.folder);
    } catch (const Error&) {  // a damaged file is named where its job is left out
    }
    if (!done || done->value("prompts_dropped", int64_t{0}) == 0) return;
    dropped[place] = std::max(dropped[place], (*done)["prompts_dropped"].get<int64_t>());
    limits.insert(row.eval_job->prompt.prompt_tokens);
  };
  for (const PlannedRow& row : experiment.rows) {
    for (const auto& [seed, job] : row.train) note(job, row, row.base_model + ", training");
    for (const auto& [seed, job] : row.eval) note(job, row, row.base_model + ", test");
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

std::vector<std::string> experiment_notes(const Experiment& experiment, const ProblemCatalog& catalog) {
  std::vector<std::string> notes;
  if (experiment.scale != 1) notes.push_back(scale_note(experiment.scale, experiment.scaled));
  for (const auto& lines : {recipe_notes(experiment), data_notes(experiment, catalog), dropped_notes(experiment)}) {
    notes.insert(notes.end(), lines.begin(), lines.end());
  }
  return notes;
}

}  // namespace harness
