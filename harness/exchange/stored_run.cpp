#include "harness/exchange/stored_run.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/problem_file.h"
#include "harness/report/report_folder.h"

namespace harness {

Problem StoredRun::problem(const std::string& set, const std::string& id) const {
  const auto found = problems.find({set, id});
  if (found != problems.end()) return found->second;
  Problem unknown;
  unknown.set = set;
  unknown.id = id;
  return unknown;
}

std::string StoredRun::model_id() const {
  const std::string& base = row().record.base_model;
  const std::string name = "medsbench/" + path_part(base) + "__" + path_part(row().record.name);
  if (row().trained()) return fmt::format("{}__seed{}", name, seed());
  const size_t slash = base.find('/');
  const bool is_id = slash != std::string::npos && slash > 0 && slash + 1 < base.size() && slash == base.rfind('/');
  return is_id ? base : name;
}

int64_t for_each_run(const std::string& folder, const std::function<void(const StoredRun&)>& visit) {
  require_outcomes(folder);
  const ExperimentResults all = read_results(folder);
  if (!all.warnings.empty()) throw Error(all.warnings.front());
  int64_t count = 0;
  for (const RowResults& row : all.rows) {
    for (const SeedResults& seed : row.seeds) {
      check_interrupt();
      StoredRun run;
      run.results.record = all.record;
      run.results.folder = all.folder;
      RowResults& one = run.results.rows.emplace_back(RowResults{row.record, {seed}, {}});
      std::erase_if(one.record.records, [&](const SeedRecord& record) { return record.seed != seed.seed; });
      one.record.seeds = {seed.seed};
      run.results.record.rows = {one.record};
      const auto path = std::filesystem::path(folder) / one.record.records.front().outcomes;
      run.file = read_outcomes(path.string());
      if (struct stat written{}; stat(path.c_str(), &written) == 0) run.time = written.st_mtime;
      const auto problems = std::filesystem::path(path).replace_filename(kProblemFileName);
      if (std::filesystem::exists(problems)) run.problems = read_problems(problems.string());
      for (const Outcome& outcome : run.file.outcomes) {
        const bool shown = std::find(all.record.sets.begin(), all.record.sets.end(), outcome.set) != all.record.sets.end();
        if (shown && outcome.sample < all.record.n) run.samples[outcome.set][outcome.problem].push_back(&outcome);
      }
      for (auto& [set, by_problem] : run.samples) {
        for (auto& [problem, samples] : by_problem) {
          std::sort(samples.begin(), samples.end(), [](const Outcome* a, const Outcome* b) { return a->sample < b->sample; });
        }
      }
      visit(run);
      ++count;
    }
  }
  return count;
}

}  // namespace harness
