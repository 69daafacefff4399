#include "experiments/cli/results_manifest.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <thread>

#include "experiments/cli/cell_folder.h"
#include "experiments/cli/commit.h"
#include "experiments/cli/notes.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/report/report_folder.h"

namespace experiments {

namespace fs = std::filesystem;

bool is_finished(const PlannedCell& planned) {
  try {
    return cell_done(planned);
  } catch (const harness::Error&) {
    return false;
  }
}

namespace {

harness::Json machine() {
  harness::Json facts = harness::Json::object();
  facts["cores"] = std::to_string(std::thread::hardware_concurrency());
  std::istringstream lines(fs::exists("/proc/cpuinfo") ? harness::read_file("/proc/cpuinfo") : "");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("model name")) {
      facts["processor"] = line.substr(line.find(':') + 2);
      break;
    }
  }
  return facts;
}

harness::SeedRecord manifest_cell(const Experiment& experiment, const PlannedRow& row, int64_t seed) {
  harness::SeedRecord cell;
  cell.seed = seed;
  cell.sets = experiment.sets;
  // By the names given: a link in a path stays a link.
  const auto relative = [&](const std::string& path) {
    return fs::absolute(path)
        .lexically_normal()
        .lexically_relative(fs::absolute(experiment.results).lexically_normal())
        .string();
  };
  const PlannedCell& evaluation = row.eval.at(seed);
  cell.outcomes = relative(evaluation.cell.folder + "/outcomes.jsonl.zst");
  cell.config = relative(evaluation.cell.folder + "/config.toml");
  if (!is_finished(evaluation)) {
    cell.failed = "not evaluated";
  } else if (const auto done = read_done(evaluation.cell.folder); done->contains("train_pass_rate")) {
    cell.train_pass_rate = (*done)["train_pass_rate"].get<double>();
  }
  const auto training = row.train.find(seed);
  if (training == row.train.end()) return cell;
  const std::string& folder = training->second.cell.folder;
  cell.metrics = relative(folder + "/metrics.jsonl");
  cell.config = relative(folder + "/config.toml");
  cell.timing = relative(folder + "/timing.json");
  if (!is_finished(training->second)) {
    cell.failed = "not trained";
    return cell;
  }
  const harness::Json done = *read_done(folder);
  cell.budget.tokens_generated = harness::integer_field(done, "tokens_generated");
  cell.budget.responses_generated = harness::integer_field(done, "responses_generated");
  cell.budget.responses_kept = harness::integer_field(done, "responses_kept");
  cell.budget.updates = harness::integer_field(done, "updates");
  cell.budget.visits_per_problem = harness::number_field(done, "visits_per_problem");
  return cell;
}

harness::ExperimentRecord make_manifest(const Experiment& experiment) {
  harness::ExperimentRecord manifest;
  static_cast<harness::TableSettings&>(manifest) = experiment;
  manifest.machine = machine();
  manifest.notes = experiment_notes(experiment);
  manifest.published = experiment.published.empty() ? "" : fs::relative(experiment.published, experiment.results).string();
  for (const PlannedRow& planned : experiment.rows) {
    harness::RowRecord row;
    row.name = planned.name;
    row.label = planned.label;
    row.base_model = planned.base_model;
    row.compare_to = planned.compare_to;
    row.seeds = planned.seeds;
    for (const int64_t seed : planned.seeds) {
      row.records.push_back(manifest_cell(experiment, planned, seed));
      const auto training = planned.train.find(seed);
      if (training == planned.train.end() || !is_finished(training->second)) continue;
      const double difference = harness::number_field(*read_done(training->second.cell.folder), "largest_log_prob_difference");
      manifest.largest_log_prob_difference = std::max(manifest.largest_log_prob_difference.value_or(0), difference);
    }
    manifest.rows.push_back(std::move(row));
  }
  return manifest;
}

}  // namespace

void write_manifest_once(const Experiment& experiment) {
  harness::make_folder(experiment.results);
  harness::ExperimentRecord manifest = make_manifest(experiment);
  const std::string path = experiment.results + "/experiment.json";
  if (fs::exists(path)) {
    const harness::ExperimentRecord old = harness::read_experiment_record(experiment.results);
    manifest.commit = old.commit;
    manifest.machine = old.machine;
    if (harness::dump_line(to_json(manifest)) == harness::dump_line(to_json(old))) return;
    manifest.machine = machine();
  }
  manifest.commit = kCommit;
  harness::write_experiment_record(experiment.results, manifest);
}

}  // namespace experiments
