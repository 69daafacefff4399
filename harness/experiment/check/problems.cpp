// Problem sets: names, splits, files, what training and evaluation share, how often a problem comes back.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "harness/core/error.h"
#include "harness/experiment/check/parts.h"

namespace harness {

namespace {

using Sets = std::vector<ProblemSet>;

class ProblemCheck {
 public:
  explicit ProblemCheck(FindingList& found) : found_(found) {}

  void check(const PlannedRow& row) {
    const bool trains = unfinished(row.train);
    const std::optional<Sets> train = trains ? load(row, "data.train", row.train_job->data.train, "train") : std::nullopt;
    if (trains && row.train_job->settings.validate_every > 0) {
      load(row, "data.validation", row.train_job->data.validation, "validation");
    }
    if (train) check_labels(row, *train);
    if (trains) check_visits(row, train);
    if (!unfinished(row.eval)) return;
    const std::optional<Sets> test = load(row, "data.test", row.eval_job->data.test, "test");
    if (train && test) check_shared(row, *train, *test);
  }

 private:
  // None where any cannot be had, which is then found.
  std::optional<Sets> load(const PlannedRow& row, const std::string& key, const std::vector<std::string>& names,
                           const std::string& split) {
    if (names.empty()) {
      found_.add(row, key, {.what = "expected at least one problem set, found none"});
      return std::nullopt;
    }
    Sets all;
    bool whole = true;
    for (const std::string& name : names) {
      const Loaded& loaded = load_one(row, name, split);
      if (!loaded.error.empty()) found_.add(row, key, {.severity = loaded.severity, .what = loaded.error});
      whole = whole && loaded.error.empty();
      all.insert(all.end(), loaded.sets.begin(), loaded.sets.end());
    }
    return whole ? std::optional(std::move(all)) : std::nullopt;
  }

  struct Loaded {
    Sets sets;
    Severity severity = Severity::error;
    std::string error;  // "": loaded
  };

  // A set as the row's data.* keys have it, loaded once.
  const Loaded& load_one(const PlannedRow& row, const std::string& name, const std::string& split) {
    std::string key = name + "\n" + split;
    for (const auto& [entry, value] : row.effective) {
      const bool names = entry == "data.train" || entry == "data.validation" || entry == "data.test";
      if (entry.starts_with("data.") && !names) key += "\n" + entry + to_toml(value.value);
    }
    const auto [place, is_new] = loaded_.try_emplace(key);
    if (!is_new) return place->second;
    try {
      place->second.sets = row.train_job->data.source->load({name}, split);
    } catch (const AbsentSet& error) {
      place->second = {{}, Severity::missing, error.what()};
    } catch (const Error& error) {
      place->second = {{}, Severity::error, error.what()};
    }
    return place->second;
  }

  void check_labels(const PlannedRow& row, const Sets& train) {
    if (!row.train_job->needs.error_labels) return;
    for (const ProblemSet& set : train) {
      const bool labelled = std::all_of(set.problems.begin(), set.problems.end(),
                                        [](const Problem& problem) { return problem.has_error_labels; });
      if (labelled) continue;
      found_.add(
          row, "data.train",
          {.what = fmt::format("expected problems with true error labels, which the method needs, found {} without", set.name),
           .way_out = "the procedural sets have them"});
    }
  }

  void check_visits(const PlannedRow& row, const std::optional<Sets>& train) {
    const TrainJob& job = *row.train_job;
    std::vector<std::string> remembering;
    for (const auto& method : job.methods.methods()) {
      if (method->remembers()) remembering.push_back(method->name());
    }
    int64_t problems = 0;
    size_t sets = job.data.train.size();
    if (remembering.empty()) return;
    if (train) {
      sets = train->size();
      for (const ProblemSet& set : *train) problems += std::ssize(set.problems);
    } else {
      const ProblemCount count = job.data.source->count(job.data.train, "train");
      if (count.unknown.empty()) problems = count.known;
    }
    const TrainSettings& s = job.settings;
    const auto met = static_cast<double>(s.steps * s.prompts_per_step);
    if (problems == 0 || met / static_cast<double>(problems) >= 2) return;
    std::string way_out = fmt::format(
        "train.steps = {}",
        static_cast<int64_t>(std::ceil(2 * static_cast<double>(problems) / static_cast<double>(s.prompts_per_step))));
    if (const auto half = static_cast<int64_t>(met / 2 / static_cast<double>(sets)); half > 0) {
      way_out += fmt::format(", or data.train_limit = {}", half);
    }
    found_.add(row, "train.steps",
               {.severity = Severity::warning,
                .what = fmt::format(
                    "expected that each problem comes back, found {} steps of {} problems: each of {} is met {:.1f} "
                    "times, fewer than twice, and the memory of {} has nothing to act on",
                    s.steps, s.prompts_per_step, problems, met / static_cast<double>(problems), fmt::join(remembering, ", ")),
                .way_out = way_out});
  }

  void check_shared(const PlannedRow& row, const Sets& train, const Sets& test) {
    std::set<uint64_t> trained;
    for (const ProblemSet& set : train) {
      for (const Problem& problem : set.problems) trained.insert(problem.hash());
    }
    for (const ProblemSet& set : test) {
      const auto shared = std::count_if(set.problems.begin(), set.problems.end(),
                                        [&](const Problem& problem) { return trained.contains(problem.hash()); });
      if (shared == 0) continue;
      found_.add(
          row, "data.test",
          {.severity = Severity::warning,
           .what = fmt::format("expected problems that are not trained on, found {} of {} of {} among those of data.train",
                               shared, set.problems.size(), set.name),
           .way_out = "another set or split"});
    }
  }

  FindingList& found_;
  std::map<std::string, Loaded> loaded_;
};

}  // namespace

void check_problems(const Experiment& experiment, FindingList& found) {
  ProblemCheck check(found);
  for (const PlannedRow& row : experiment.rows) check.check(row);
}

}  // namespace harness
