#include "harness/report/report_folder.h"

#include <filesystem>
#include <set>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/report/figures/figures.h"
#include "harness/report/figures/svg.h"
#include "harness/report/page/page.h"
#include "harness/report/results/counts_csv.h"
#include "harness/report/results_json.h"
#include "harness/report/table/checkpoints.h"
#include "harness/report/table/cluster_table.h"
#include "harness/report/table/noise.h"
#include "harness/report/table/table_text.h"
#include "harness/report/table/verdict_table.h"

namespace harness {

namespace {

// Leaves a file that already has these bytes alone.
void write_if_changed(const std::string& path, const std::string& text) {
  if (std::filesystem::exists(path) && read_file(path) == text) return;
  write_file_atomically(path, text);
}

// The rule, its looks with the p-values that they ask of one comparison alone, and how many of the family each decided.
OrderedJson looks_json(const Summary& summary) {
  OrderedJson json{{"rule", to_json(summary.rule)}, {"comparisons", summary.comparisons}, {"looks", OrderedJson::array()}};
  const bool sequential = summary.rule.kind == SeedRule::Kind::group_sequential;
  const std::vector<double> levels =
      sequential ? SequentialTest(summary.rule.boundary, summary.rule.looks).levels(0.05) : std::vector<double>();
  for (const Look& look : summary.looks) {
    OrderedJson line{{"seeds", look.seeds}, {"looked_at", look.looked_at}, {"decided", look.decided.size()}};
    if (sequential) line["p"] = levels.at(json["looks"].size());
    json["looks"].push_back(std::move(line));
  }
  return json;
}

std::string manifest_text(const ExperimentResults& results, const Summary& summary, const std::vector<NamedText>& files) {
  const ExperimentRecord& record = results.record;
  OrderedJson json{{"version", 1}, {"title", record.title}, {"config_hash", record.config_hash}, {"commit", record.commit}};
  json["device"] = record.device;
  json["scale"] = record.scale;
  json["n"] = record.n;
  json["k"] = record.k;
  json["eval_seed"] = record.eval_seed ? OrderedJson(*record.eval_seed) : OrderedJson(nullptr);
  json["temperature"] = record.temperature ? OrderedJson(*record.temperature) : OrderedJson(nullptr);
  json["file_versions"] = OrderedJson{{"experiment", kExperimentRecordVersion}, {"outcomes", kOutcomeVersion}};
  json["rows"] = OrderedJson::array();
  for (const RowResults& row : results.rows) {
    OrderedJson seeds = OrderedJson::array();
    for (const SeedResults& seed : row.seeds) seeds.push_back(seed.seed);
    json["rows"].push_back(OrderedJson{
        {"base_model", row.record.base_model}, {"name", row.record.name}, {"seeds", seeds}, {"failed", row.failures.size()}});
  }
  if (record.rule.kind != SeedRule::Kind::fixed) json["verdicts"] = looks_json(summary);
  if (!record.amended.empty()) json["amended"] = record.amended;
  json["machine"] = OrderedJson::parse(record.machine.dump());
  json["files"] = OrderedJson::object();
  for (const NamedText& file : files) json["files"][file.name] = sha256_hex(file.text);
  return json.dump(1) + "\n";
}

}  // namespace

std::vector<NamedText> table_files(const ExperimentResults& results, const Summary& summary) {
  std::vector<NamedText> files{{"table.md", markdown_table(summary)},
                               {"table.tex", latex_table(summary)},
                               {"table.csv", csv_table(summary)},
                               {"results.json", results_json(results, summary).dump(1) + "\n"},
                               {"counts.csv", counts_csv(results)}};
  if (!summary.conditions.empty()) files.push_back({"conditions.csv", conditions_csv(summary.conditions)});
  if (summary.comparisons > 0) files.push_back({"verdicts.csv", verdicts_csv(summary)});
  files.push_back({"curves.csv", curves_csv(experiment_charts(results))});
  if (const std::vector<NoiseRecord> noise = noise_records(results, summary); !noise.empty()) {
    files.push_back({"noise.csv", noise_csv(noise)});
    files.push_back({"noise.md", noise_markdown(noise)});
  }
  if (const std::vector<CheckpointRecord> checkpoints = checkpoint_records(results); !checkpoints.empty()) {
    files.push_back({"checkpoints.csv", checkpoints_csv(checkpoints)});
    files.push_back({"checkpoints.md", checkpoints_markdown(checkpoint_tables(results, checkpoints))});
  }
  if (const std::vector<ClusterRecord> clusters = cluster_records(results); !clusters.empty()) {
    files.push_back({"clusters.csv", clusters_csv(clusters)});
    files.push_back({"clusters.md", clusters_markdown(clusters)});
  }
  files.push_back({"manifest.json", manifest_text(results, summary, files)});
  return files;
}

void require_outcomes(const std::string& folder) {
  std::string first;
  int64_t missing = 0;
  for (const RowRecord& row : read_experiment_record(folder).rows) {
    for (const SeedRecord& seed : row.records) {
      if (!seed.failed.empty()) continue;
      std::set<std::string> files{seed.outcomes};
      for (const auto& [step, outcomes] : seed.checkpoints) files.insert(outcomes);
      for (const std::string& file : files) {
        const std::string path = (std::filesystem::path(folder) / file).lexically_normal().string();
        if (std::filesystem::exists(path)) continue;
        if (++missing == 1)
          first = fmt::format("{}: expected the stored outcomes of {}, seed {}", path, row.shown(), seed.seed);
      }
    }
  }
  if (missing == 0) return;
  throw Error("{}, found none{}: nothing is written; `medsbench verify {}` derives pass@k from counts.csv", first,
              missing == 1 ? "" : fmt::format(" (nor those of {} others)", missing - 1), folder);
}

ReportDone write_report(const std::string& folder, const ReportSettings& settings) {
  require_outcomes(folder);
  const ExperimentResults results = read_results(folder, settings.page ? kReadProblems : 0);
  ReportDone done{summarise(results), {}, results.warnings};
  const std::string output = settings.output.empty() ? folder : settings.output;
  make_folder(output);
  for (const NamedText& file : table_files(results, done.summary)) {
    write_if_changed(output + "/" + file.name, file.text);
    done.files.push_back(file.name);
  }
  if (!settings.figures) return done;
  const Figures figures = draw_figures(results);
  done.warnings.insert(done.warnings.end(), figures.warnings.begin(), figures.warnings.end());
  for (const Figure& figure : figures.figures) {
    write_if_changed(output + "/" + figure.chart.name + ".svg", standalone_svg(figure.svg));
    done.files.push_back(figure.chart.name + ".svg");
  }
  if (settings.page) {
    write_if_changed(output + "/report.html", html_page(results, done.summary, figures));
    done.files.push_back("report.html");
  }
  return done;
}

}  // namespace harness
