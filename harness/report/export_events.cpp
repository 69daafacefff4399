#include "harness/report/export_events.h"

#include <fmt/format.h>

#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/report/event_file.h"
#include "harness/report/results/experiment_record.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

void write_events(const std::string& metrics, const std::string& folder) {
  const std::string events = events_of_metrics(read_file(metrics), metrics);
  make_folder(folder);
  write_file_atomically(folder + "/" + kEventFileName, events);
}

}  // namespace

int64_t export_events(const std::string& folder, const std::string& out) {
  if (fs::exists(folder + "/metrics.jsonl")) {  // one run folder
    write_events(folder + "/metrics.jsonl", out);
    return 1;
  }
  int64_t count = 0;
  const ExperimentRecord record = read_experiment_record(folder);
  for (const RowRecord& row : record.rows) {
    for (const SeedRecord& seed : row.records) {
      if (seed.metrics.empty() || !seed.failed.empty()) continue;
      write_events((fs::path(folder) / seed.metrics).lexically_normal().string(),
                   fmt::format("{}/{}/{}/seed{}", out, path_part(row.base_model), path_part(row.name), seed.seed));
      ++count;
    }
  }
  return count;
}

}  // namespace harness
