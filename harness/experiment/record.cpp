#include "harness/experiment/record.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/experiment/jobs/folder.h"
#include "harness/experiment/notes.h"
#include "harness/report/report_folder.h"
#include "harness/sweep/failure.h"

namespace harness {

namespace fs = std::filesystem;

namespace {

Json machine() {
  Json facts = Json::object();
  facts["cores"] = std::to_string(std::thread::hardware_concurrency());
  std::istringstream lines(fs::exists("/proc/cpuinfo") ? read_file("/proc/cpuinfo") : "");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("model name")) {
      facts["processor"] = line.substr(line.find(':') + 2);
      break;
    }
  }
  return facts;
}

// ": REASON" of a job that is not done: why it failed, or what it waits for did; "" where neither is known.
std::string reason_of(const Experiment& experiment, const PlannedJob& planned) {
  if (const auto failure = read_failure(planned.job.folder)) return ": " + failure_reason(*failure);
  for (const PlannedJob& base : experiment.base_jobs) {
    const auto& after = planned.job.after;
    if (readable_result_of(base) || std::find(after.begin(), after.end(), base.job.id) == after.end()) continue;
    if (const auto failure = read_failure(base.job.folder))
      return fmt::format(": {}: {}", base.job.id, failure_reason(*failure));
  }
  return "";
}

SeedRecord record_of(const Experiment& experiment, const PlannedRow& row, int64_t seed,
                     std::optional<double>& largest_log_prob_difference) {
  SeedRecord record;
  record.seed = seed;
  record.sets = experiment.sets;
  // By the names given: a link in a path stays a link.
  const auto relative = [&](const std::string& path) {
    return fs::absolute(path)
        .lexically_normal()
        .lexically_relative(fs::absolute(experiment.results).lexically_normal())
        .string();
  };
  const PlannedJob& evaluation = row.eval.at(seed);
  record.outcomes = relative(evaluation.job.folder + "/outcomes.jsonl.zst");
  record.config = relative(evaluation.job.folder + "/config.toml");
  const int64_t n = std::get<int64_t>(evaluation.config.find("eval.n")->value);
  if (n < experiment.n) record.n = n;
  const std::optional<Json> evaluated = readable_result_of(evaluation);
  if (!evaluated) record.failed = "not evaluated" + reason_of(experiment, evaluation);
  if (evaluated && evaluated->contains("train_pass_rate")) record.train_pass_rate = number_field(*evaluated, "train_pass_rate");
  const auto training = row.train.find(seed);
  if (training == row.train.end()) return record;
  const std::string& folder = training->second.job.folder;
  record.metrics = relative(folder + "/metrics.jsonl");
  record.config = relative(folder + "/config.toml");
  record.timing = relative(folder + "/timing.json");
  const std::optional<Json> trained = readable_result_of(training->second);
  if (!trained) {
    record.failed = "not trained" + reason_of(experiment, training->second);
    return record;
  }
  if (const auto steps = row.checkpoints.find(seed); steps != row.checkpoints.end()) {
    for (const auto& [step, job] : steps->second) {
      if (readable_result_of(job)) record.checkpoints[step] = relative(job.job.folder + "/outcomes.jsonl.zst");
    }
  }
  Budget& budget = record.budget.emplace();
  budget.tokens_generated = integer_field(*trained, "tokens_generated");
  budget.responses_generated = integer_field(*trained, "responses_generated");
  budget.responses_kept = integer_field(*trained, "responses_kept");
  budget.updates = integer_field(*trained, "updates");
  budget.visits_per_problem = number_field(*trained, "visits_per_problem");
  largest_log_prob_difference =
      std::max(largest_log_prob_difference.value_or(0), number_field(*trained, "largest_log_prob_difference"));
  return record;
}

ExperimentRecord make_record(const Experiment& experiment, const ProblemCatalog& problems) {
  ExperimentRecord record;
  static_cast<TableSettings&>(record) = experiment;
  record.machine = machine();
  record.notes = experiment_notes(experiment, problems);
  record.published = experiment.published.empty() ? "" : fs::relative(experiment.published, experiment.results).string();
  for (const PlannedRow& planned : experiment.rows) {
    RowRecord row;
    row.name = planned.name;
    row.label = planned.label;
    row.base_model = planned.base_model;
    row.compare_to = planned.compare_to;
    row.seeds = planned.seeds;
    for (const int64_t seed : planned.seeds) {
      row.records.push_back(record_of(experiment, planned, seed, record.largest_log_prob_difference));
    }
    record.rows.push_back(std::move(row));
  }
  return record;
}

}  // namespace

void write_record(const Experiment& experiment, const Program& program) {
  make_folder(experiment.results);
  ExperimentRecord record = make_record(experiment, program.problems);
  const std::string path = experiment.results + "/experiment.json";
  if (fs::exists(path)) {
    const ExperimentRecord old = read_experiment_record(experiment.results);
    record.commit = old.commit;
    record.machine = old.machine;
    if (dump_line(to_json(record)) == dump_line(to_json(old))) return;
    record.machine = machine();
  }
  record.commit = program.commit;
  write_experiment_record(experiment.results, record);
}

}  // namespace harness
