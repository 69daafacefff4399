#include "harness/experiment/file_keys.h"

#include <algorithm>

#include "harness/core/error.h"
#include "harness/report/table/columns.h"

namespace harness {

namespace {

// A number alone would be read as one seed by some and as so many seeds by others.
std::vector<int64_t> read_seeds(ConfigReader& keys, const std::vector<int64_t>& fallback, const std::string& meaning) {
  const Config::Entry* entry = keys.config().find("seeds");
  if (entry == nullptr) return keys.integers("seeds", fallback, meaning);
  if (const auto* number = std::get_if<int64_t>(&entry->value)) {
    throw Error(
        "{}: seeds: expected a list, found {}: seeds = [{}] is the training seed {}, --seeds {} makes {} trainings a row",
        entry->origin, *number, *number, *number, *number, *number);
  }
  std::vector<int64_t> seeds = keys.integers("seeds", fallback, meaning);
  if (seeds.empty()) throw Error("{}: seeds: expected at least one training seed, found none", entry->origin);
  std::vector<int64_t> sorted = seeds;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.front() < 0) throw Error("{}: seeds: expected seeds >= 0, found {}", entry->origin, sorted.front());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    throw Error("{}: seeds: expected each seed once, found {} twice", entry->origin, *twice);
  }
  return seeds;
}

// Where a key of the file's head or of a row's stands, for errors.
std::string place_of_key(const ConfigReader& keys, const std::string& key) {
  const Config::Entry* entry = keys.config().find(key);
  return (entry == nullptr ? keys.config().name() : entry->origin) + ": " + key;
}

// until.*: how many seeds rows get.
SeedRule read_seed_rule(ConfigReader& keys) {
  SeedRule rule;
  rule.kind = rule_kind(keys.text("until.rule", rule_name(rule.kind), rule_names(), "how many training seeds rows get"));
  rule.boundary =
      boundary_of(keys.text("until.boundary", std::string(boundary_name(rule.boundary)), {"obrien_fleming", "pocock"},
                            "of group_sequential: how the error is spread over the looks"));
  rule.looks = keys.integers("until.looks", {}, "of group_sequential: numbers of seeds at which one looks");
  const int64_t smallest = keys.integer("until.smallest", 5, 2, "of anytime and half_width: seeds before the first look");
  const int64_t largest = keys.integer("until.largest", 40, 2, "of anytime and half_width: most seeds");
  const int64_t step = keys.integer("until.step", 1, 1, "of anytime: seeds between two looks");
  rule.half_width =
      keys.number("until.half_width", 0, 0, 100, "of half_width: of the interval of a difference, in points of a percentage") /
      100;
  rule.margin =
      keys.number("table.margin", 0, 0, 100, "points within which two rows are equivalent; 0: none are called so") / 100;
  if (rule.kind != SeedRule::Kind::group_sequential && !rule.looks.empty()) {
    throw Error("{}: expected none with until.rule = \"{}\"", place_of_key(keys, "until.looks"), rule_name(rule.kind));
  }
  if (rule.kind == SeedRule::Kind::fixed) return rule;
  if (rule.kind != SeedRule::Kind::group_sequential && largest <= smallest) {
    throw Error("{}: expected more than until.smallest = {}, found {}", place_of_key(keys, "until.largest"), smallest, largest);
  }
  if (rule.kind == SeedRule::Kind::anytime) {
    for (int64_t seeds = smallest; seeds < largest; seeds += step) rule.looks.push_back(seeds);
    rule.looks.push_back(largest);
  } else if (rule.kind == SeedRule::Kind::half_width) {
    rule.looks = {smallest, largest};
    if (!(rule.half_width > 0))
      throw Error("{}: expected a number above 0, found none", place_of_key(keys, "until.half_width"));
  }
  with_context(place_of_key(keys, "until.looks"), [&] { check_looks(rule.looks); });
  return rule;
}

}  // namespace

FileHead read_file_head(ConfigReader& keys, const std::string& stem) {
  FileHead h;
  TableSettings& table = h.table;
  table.title = keys.text("title", stem, "of the table");
  h.seeds = read_seeds(keys, {1}, "training seeds of every row");
  h.results = keys.text("run.results", "results/" + stem, "folder of tables and figures");
  h.runs = keys.text("run.runs", "runs/" + stem, "folder of the run folders");
  h.model_cache = keys.text("run.models", "models", "folder of base models");
  h.workers = keys.integer("run.jobs", h.workers, 1, 1024, "worker processes at once");
  h.trial.problems = keys.integer("run.try_problems", h.trial.problems, 0,
                                  "training problems on which a base model is tried before its rows are trained; 0: none");
  h.trial.samples = keys.integer("run.try_samples", h.trial.samples, 1, "responses to each of them");
  h.trial.share =
      keys.number("run.try_below", h.trial.share, 0, 1, "share of right responses below which the trial says what to change");
  h.also = keys.texts("run.also", {}, "experiment files run after this one, each with a table of its own");
  h.slurm = keys.texts("run.slurm", {}, "further options of sbatch");
  table.k = keys.integers("table.k", {1, 128}, "k of the pass@k columns; not given: those that eval.n allows");
  if (table.k.empty()) throw Error("{}: expected at least one number, found none", place_of_key(keys, "table.k"));
  for (const int64_t k : table.k) {
    if (k < 1) throw Error("{}: expected numbers >= 1, found {}", place_of_key(keys, "table.k"), k);
  }
  table.g_pass = keys.numbers("table.g_pass", {}, "thresholds of G-pass@k columns, in [0, 1]");
  for (const double tau : table.g_pass) {
    if (!(tau >= 0 && tau <= 1))
      throw Error("{}: expected numbers in [0, 1], found {}", place_of_key(keys, "table.g_pass"), tau);
  }
  table.maj = keys.boolean("table.maj", table.maj, "maj@k columns");
  table.primary = keys.texts("table.primary", {}, "columns whose comparisons were fixed beforehand; none: all");
  for (const std::string& column : table.primary) {
    with_context(place_of_key(keys, "table.primary"), [&] { parse_column(column); });
  }
  table.rule = read_seed_rule(keys);
  h.published = keys.text("table.published", "", "TOML file with published numbers to stand beside ours");
  return h;
}

bool is_of_file_head(const std::string& assignment) {
  const std::string key = assignment.substr(0, assignment.find('='));
  return key == "title" || key == "seeds" || key.starts_with("run.") || key.starts_with("table.") ||
         key.starts_with("until.") || key.starts_with("models.");
}

RowHead read_row_head(ConfigReader& keys, const std::vector<int64_t>& seeds, const std::vector<std::string>& models) {
  RowHead h;
  h.name = keys.required_text("name", "of the row");
  h.label = keys.text("label", h.name, "what tables show in place of the name");
  h.compare_to = keys.text("compare_to", "", "row that this one is compared with");
  h.untrained = keys.boolean("untrained", h.untrained, "the base model as it is");
  h.seeds = read_seeds(keys, seeds, "training seeds of this row");
  h.models = keys.texts("models", models, "base models of this row");
  h.regrade_of = keys.text("regrade_of", "", "earlier row whose responses this row's graders grade");
  if (h.untrained) h.seeds = {0};
  return h;
}

ModelKeys read_model_keys(ConfigReader& keys, const std::string& place) {
  ModelKeys m;
  m.path = keys.text("path", "", "a model folder, or a hub's name ORG/NAME");
  m.pretrain = keys.text("pretrain", "", "TOML file of the supervised training that makes the model");
  m.start = keys.text("start", "", "with pretrain: another base model to go on from");
  m.prepare = keys.text("prepare", "", "with path: script that makes the folder where it is not there");
  m.shape = keys.text("shape", "", "with path: folder with a config.json that `plan` reads where the model is not there");
  m.positions = keys.integer("positions", m.positions, 0, "with path: positions beyond the model's own; 0: its own");
  if (m.path.empty() == m.pretrain.empty()) {
    throw Error("{}: expected either path or pretrain, found {}", place, m.path.empty() ? "neither" : "both");
  }
  if (!m.pretrain.empty() && (!m.shape.empty() || m.positions > 0)) {
    throw Error("{}: {}: expected path beside it, found pretrain", place, m.shape.empty() ? "positions" : "shape");
  }
  return m;
}

}  // namespace harness
