#include "datasets/problem_catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "datasets/duplicates.h"
#include "datasets/manifest.h"
#include "datasets/published.h"
#include "harness/core/error.h"

namespace datasets {

namespace {

using harness::ProblemSet;

class Source : public harness::ProblemSource {
 public:
  explicit Source(LoadSettings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] std::vector<ProblemSet> load(const std::vector<std::string>& names, const std::string& split) const override {
    return load_sets(names, split, settings_);
  }

  [[nodiscard]] harness::ProblemCount count(const std::vector<std::string>& names, const std::string& split) const override {
    harness::ProblemCount count;
    for (const std::string& name : names) {
      try {
        for (const ProblemSet& set : load_sets({name}, split, settings_)) count.known += std::ssize(set.problems);
      } catch (const harness::Error&) {
        add_absent(name, split, count);
      }
    }
    return count;
  }

  [[nodiscard]] std::unique_ptr<harness::DemonstrationSource> demonstrations(const std::string& name) const override {
    return load_demonstrations(name, settings_);
  }

 private:
  void add_absent(const std::string& name, const std::string& split, harness::ProblemCount& count) const {
    const SetName parsed = parse_set_name(name);
    const std::string chosen = parsed.split.empty() ? split : parsed.split;
    const auto entry = find_entry(parsed.name, chosen);
    if (!entry || entry->problems <= 0) {
      count.unknown.push_back(name);
      return;
    }
    const int64_t limit = limit_of(settings_, chosen);
    count.known += limit > 0 ? std::min(limit, entry->problems) : entry->problems;
    count.from_manifest.push_back(name);
  }

  LoadSettings settings_;
};

std::string set_text(const ProblemSet& set, const std::string& split) {
  const std::string hash = set.content_hash();
  const auto entry = find_entry(set.name, split);
  std::string text = fmt::format("{} {} problems (sha256 {}", set.name, set.problems.size(), hash.substr(0, 8));
  if (entry && entry->content_hash == hash) text += entry->verified ? ", as its origin has it" : ", as in the manifest";
  return text + ")";
}

}  // namespace

LoadSettings read_load_settings(harness::ConfigReader& keys) {
  LoadSettings s;
  s.data_dir = keys.text("data.dir", "", "folder of the published sets; empty: MEDSBENCH_DATA, then the hub's cache");
  s.data_seed = static_cast<uint64_t>(keys.integer("data.seed", 0, 0, "of the generated sets and of samples of sets"));
  s.limit = keys.integer("data.limit", 0, 0, "a keyed sample of so many problems of each set; 0: all");
  s.train_limit = keys.integer("data.train_limit", 0, 0, "in place of data.limit for training sets");
  s.validation =
      keys.integer("data.validation_problems", 0, 0, "problems of a published training set that become its validation split");
  s.fields.problem = keys.text("data.problem_field", "",
                               "problem in a file of your own, as prompt or a.b; empty: problem, question or prompt");
  s.fields.answer =
      keys.text("data.answer_field", "", "its answer; empty: answer, reward_model.ground_truth or the box of solution");
  s.nano.train = keys.integer("data.nano.train", s.nano.train, 1, "training problems of each kind of the nano suite");
  s.nano.validation = keys.integer("data.nano.validation", s.nano.validation, 1, "validation problems of each kind");
  s.nano.test = keys.integer("data.nano.test", s.nano.test, 1, "test problems of each kind");
  s.nano.slips = keys.number("data.nano.slips", s.nano.slips, 0, 1, "share of demonstrations with a step that is off");
  const std::string shares = "data.nano.shares.";
  for (const auto& [key, entry] : keys.config().entries()) {
    if (!key.starts_with(shares)) continue;
    s.nano.shares[key.substr(shares.size())] = keys.numbers(key, {}, "shares of a kind's strategies in the demonstrations");
  }
  s.words.train = keys.integer("data.words.train", s.words.train, 1, "training problems of each kind of the word problems");
  s.words.validation = keys.integer("data.words.validation", s.words.validation, 1, "validation problems of each kind");
  s.words.test = keys.integer("data.words.test", s.words.test, 1, "test problems of each kind");
  return s;
}

std::shared_ptr<const harness::ProblemSource> Catalog::open(harness::ConfigReader& keys) const {
  return std::make_shared<Source>(read_load_settings(keys));
}

std::vector<std::string> Catalog::sets_of(const std::string& name) const {
  const std::string parsed = parse_set_name(name).name;
  const std::vector<std::string> sets = sets_of_suite(parsed);
  return sets.empty() ? std::vector<std::string>{parsed} : sets;
}

std::string Catalog::name_of_outcomes(const std::string& set) const {
  const std::vector<std::string> known = set_names();
  return std::find(known.begin(), known.end(), "nano/" + set) == known.end() ? set : "nano/" + set;
}

std::string Catalog::files_identity(const std::vector<std::string>& names, const std::string& data_dir) const {
  return datasets::files_identity(names, data_dir);
}

std::vector<std::string> Catalog::demonstration_names() const { return datasets::demonstration_names(); }

std::string Catalog::demonstration_files(const std::string& name) const {
  return find_published_set(name) == nullptr ? "" : name + ":train";
}

std::string Catalog::characters() const { return nano_characters(); }

// Generated sets hold their parts apart by construction; what comes from outside is checked.
std::vector<std::string> Catalog::footer_notes(const std::vector<ProblemSet>& train,
                                               const std::vector<ProblemSet>& test) const {
  std::vector<std::string> parts, names;
  for (const ProblemSet& set : train) {
    names.push_back(set.name);
    if (find_published_set(set.name) != nullptr) parts.push_back("trained on " + set_text(set, "train"));
  }
  std::vector<Contamination> found;
  for (const ProblemSet& set : test) {
    if (find_published_set(set.name) == nullptr) continue;
    parts.push_back(set_text(set, "test"));
    if (!train.empty()) found.push_back(check_contamination(train, set));
  }
  std::vector<std::string> notes;
  if (!parts.empty()) notes.push_back(fmt::format("Problem sets: {}.", fmt::join(parts, ", ")));
  if (!found.empty()) {
    notes.push_back(
        fmt::format("Test problems that the training sets ({}) hold too (the same text, 13 words in a row, or a near "
                    "duplicate): {}.",
                    fmt::join(names, ", "), contamination_line(found)));
  }
  return notes;
}

}  // namespace datasets
