#include "harness/experiment/file_keys.h"

#include <algorithm>

#include "harness/core/error.h"
#include "harness/report/table/table_keys.h"

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
  h.whole_seeds = keys.integer("run.whole_seeds", h.whole_seeds, 0,
                               "seeds of a row, its first, that are evaluated with eval.n samples a problem; 0: all");
  h.other_n = keys.integer("run.other_n", h.other_n, 1, "samples a problem of the other seeds, enough for pass@1");
  h.trial.problems = keys.integer("run.try_problems", h.trial.problems, 0,
                                  "training problems on which a base model is tried before its rows are trained; 0: none");
  h.trial.samples = keys.integer("run.try_samples", h.trial.samples, 1, "responses to each of them");
  h.trial.share =
      keys.number("run.try_below", h.trial.share, 0, 1, "share of right responses below which the trial says what to change");
  h.also = keys.texts("run.also", {}, "experiment files run after this one, each with a table of its own");
  h.slurm = keys.texts("run.slurm", {}, "further options of sbatch");
  read_table_keys(keys, table);
  table.guarded =
      keys.texts("table.guarded", {}, "rows on which no verdict is printed while one of [[conditions]] does not hold");
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
