// export: stored outcomes as Parquet, training metrics as TensorBoard event files.
#include <fmt/format.h>

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/report/event_file.h"
#include "harness/report/outcomes_parquet.h"
#include "harness/report/results/experiment_record.h"

namespace experiments {

namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string folder, parquet, tensorboard;
};

// A name as one part of a path.
std::string path_part(const std::string& name) {
  std::string part;
  for (const char c : name) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' || c == '+' || c == ' ';
    part += plain ? c : '-';
  }
  return part.empty() || part.find_first_not_of('.') == std::string::npos ? "-" + part : part;
}

void write_events(const std::string& metrics, const std::string& folder) {
  const std::string events = harness::events_of_metrics(harness::read_file(metrics), metrics);
  harness::make_folder(folder);
  harness::write_file_atomically(folder + "/" + harness::kEventFileName, events);
}

// A folder a training: TensorBoard shows each as a run of its own, named by its path.
int64_t export_events(const std::string& folder, const std::string& out) {
  if (fs::exists(folder + "/metrics.jsonl")) {  // one run folder
    write_events(folder + "/metrics.jsonl", out);
    return 1;
  }
  int64_t count = 0;
  const harness::ExperimentRecord record = harness::read_experiment_record(folder);
  for (const harness::RowRecord& row : record.rows) {
    for (const harness::SeedRecord& seed : row.records) {
      if (seed.metrics.empty() || !seed.failed.empty()) continue;
      write_events((fs::path(folder) / seed.metrics).lexically_normal().string(),
                   fmt::format("{}/{}/{}/seed{}", out, path_part(row.base_model), path_part(row.name), seed.seed));
      ++count;
    }
  }
  return count;
}

int export_verb(const ExportOptions& options) {
  if (!options.parquet.empty()) {
    const int64_t rows = harness::write_outcomes_parquet(options.folder, options.parquet);
    fmt::print(stderr, "{}: {} responses\n", options.parquet, rows);
  }
  if (!options.tensorboard.empty()) {
    fmt::print(stderr, "{}: {} trainings\n", options.tensorboard, export_events(options.folder, options.tensorboard));
  }
  return 0;
}

}  // namespace

void add_export(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = app.add_subcommand("export", "stored outcomes as Parquet, training metrics as TensorBoard event files");
  verb->add_option("folder", options->folder, "results folder (for TensorBoard also one training's run folder)")->required();
  CLI::Option* parquet = verb->add_option("--parquet", options->parquet, "file for the outcomes, a row a response");
  CLI::Option* events = verb->add_option("--tensorboard", options->tensorboard, "folder for the event files");
  verb->callback([&chosen, options, parquet, events] {
    if (parquet->count() + events->count() == 0) throw CLI::RequiredError("--parquet FILE or --tensorboard FOLDER");
    chosen = [options] { return export_verb(*options); };
  });
}

}  // namespace experiments
