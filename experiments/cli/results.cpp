// table, verify, regrade, export, judge: what is made of stored outcomes.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "experiments/cli/every_method.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/exchange/export_results.h"
#include "harness/exchange/import_results.h"
#include "harness/experiment/judge.h"
#include "harness/experiment/regrade.h"
#include "harness/report/export_events.h"
#include "harness/report/outcomes_parquet.h"
#include "harness/report/page/page.h"
#include "harness/report/report_folder.h"
#include "harness/report/results_json.h"
#include "harness/report/table/claims.h"
#include "harness/report/table/table_text.h"
#include "harness/report/verify.h"
#include "harness/reward/all_graders.h"

namespace experiments {

namespace {

struct TableChoice {
  std::vector<std::string> folders;
  std::vector<std::string> formats;
  std::string output;
};

// Where the files of one experiment go: its own folder, the one given, or a folder of its name in that.
std::string output_folder(const TableChoice& choice, const std::string& folder) {
  if (choice.output.empty()) return folder;
  if (choice.folders.size() == 1) return choice.output;
  return choice.output + "/" + std::filesystem::path(folder).lexically_normal().filename().string();
}

// One experiment in one format, for programs.
std::string one_format(const std::string& folder, const std::string& format) {
  const harness::ExperimentResults results = harness::read_results(folder, format == "html" ? harness::kReadProblems : 0);
  for (const std::string& warning : results.warnings) fmt::print(stderr, "medsbench: {}\n", warning);
  const harness::Summary summary = harness::summarise(results);
  if (format == "md") return harness::markdown_table(summary);
  if (format == "tex") return harness::latex_table(summary);
  if (format == "csv") return harness::csv_table(summary);
  if (format == "json") return harness::results_json(results, summary).dump(1) + "\n";
  return harness::html_page(results, summary, harness::draw_figures(results));
}

// One format goes to stdout or to the file given; several become table.FORMAT in the folder given or in the experiment's own.
int tables_in_formats(const TableChoice& choice) {
  if (choice.formats.size() == 1) {
    std::string text;
    for (const std::string& folder : choice.folders) text += one_format(folder, choice.formats.front());
    if (choice.output.empty()) {
      fmt::print("{}", text);
    } else {
      harness::write_file_atomically(choice.output, text);
    }
    return 0;
  }
  for (const std::string& folder : choice.folders) {
    const std::string output = output_folder(choice, folder);
    harness::make_folder(output);
    for (const std::string& format : choice.formats) {
      const std::string path = output + "/table." + format;
      harness::write_file_atomically(path, one_format(folder, format));
      fmt::print(stderr, "{}\n", path);
    }
  }
  return 0;
}

int table(const TableChoice& choice) {
  for (const std::string& folder : choice.folders) harness::require_outcomes(folder);  // of all, before any is written
  if (!choice.formats.empty()) return tables_in_formats(choice);
  for (const std::string& folder : choice.folders) {
    harness::ReportSettings settings;
    if (!choice.output.empty()) settings.output = output_folder(choice, folder);
    const harness::ReportDone done = harness::write_report(folder, settings);
    for (const std::string& warning : done.warnings) fmt::print(stderr, "medsbench: {}\n", warning);
    fmt::print("{}{}", folder == choice.folders.front() ? "" : "\n", harness::terminal_table(done.summary));
    fmt::print(stderr, "{} files in {}\n", done.files.size(), settings.output.empty() ? folder : settings.output);
  }
  return 0;
}

int verify(const std::string& folder) {
  const harness::Verification result = harness::verify_folder(folder);
  for (const std::string& difference : result.differences) fmt::print("{}\n", difference);
  for (const std::string& note : result.notes) fmt::print(stderr, "medsbench: {}\n", note);
  fmt::print(stderr, "{} numbers derived again, {} differences\n", result.numbers, result.differences.size());
  return result.differences.empty() ? 0 : 1;
}

int judge(const harness::JudgingOptions& options, const std::string& out) {
  const harness::Judging done = harness::judge_responses(options, this_program().problems);
  fmt::print("{}\n", harness::dump_line(done.result));
  if (!out.empty()) harness::write_file_atomically(out, done.result.dump(1) + "\n");
  fmt::print(stderr, "{} questions sent, {} answered from {}\n", done.sent, done.cached, options.judge.cache);
  return 0;
}

}  // namespace

void add_table(Verb app) {
  const auto choice = std::make_shared<TableChoice>();
  Verb verb = app.verb("table", "tables and figures from stored outcomes alone");
  verb.option("folders", choice->folders, "results folders (with experiment.json)").required();
  verb.option("--format", choice->formats,
              "one of md, tex, csv, json, html: printed to stdout instead of writing all files; several, joined by commas: "
              "these files only")
      .joined_by(',')
      .one_each()
      .one_of({"md", "tex", "csv", "json", "html"});
  verb.option("--out", choice->output, "folder to write to (with one format: the file)");
  verb.does([choice] { return table(*choice); });
}

void add_verify(Verb app) {
  const auto folder = std::make_shared<std::string>();
  Verb verb = app.verb("verify", "derives every number of a results folder again; exit status 1 if any differs");
  verb.option("folder", *folder, "results folder").required();
  verb.does([folder] { return verify(*folder); });
}

void add_regrade(Verb app) {
  const auto options = std::make_shared<harness::RegradeOptions>();
  Verb verb = app.verb("regrade", "grades stored outcomes anew, generating nothing");
  verb.option("folder", options->folder, "results folder").required();
  verb.option("--grader", options->grader, "recipe, limo, math or last_number").required().one_of(harness::grader_names());
  verb.flag("--main", options->main, "tables use this grader from now on");
  verb.option("--data", options->problems.data_dir, "where published sets lie");
  verb.option("--data-seed", options->problems.data_seed, "data seed of generated sets");
  verb.option("--split", options->problems.split, "split that was evaluated");
  verb.does([options] {
    const harness::Regraded done = harness::regrade(*options, this_program().problems);
    fmt::print(stderr, "{} responses graded by {}, {} verdicts differ; `medsbench table {}` writes the tables\n", done.graded,
               options->grader, done.changed, options->folder);
    return 0;
  });
}

void add_export(Verb app) {
  struct Layout {
    const char *option, *help, *things;
    int64_t (*write)(const std::string& folder, const std::string& out);
    std::string out = {};
  };
  const auto layouts = std::make_shared<std::vector<Layout>>(std::vector<Layout>{
      {"--parquet", "file for the outcomes, a row a response", "responses", harness::write_outcomes_parquet},
      {"--tensorboard", "folder for event files of the training metrics", "trainings", harness::export_events},
      {"--lm-eval", "folder for lm-evaluation-harness' results and samples", "runs", harness::export_lm_eval},
      {"--every-eval-ever", "folder for Every Eval Ever's data/", "runs", harness::export_every_eval_ever}});
  const auto folder = std::make_shared<std::string>();
  Verb verb = app.verb("export", "stored outcomes and metrics in the layouts of other programs");
  verb.option("folder", *folder, "results folder (for TensorBoard also one training's run folder)").required();
  for (Layout& layout : *layouts) verb.option(layout.option, layout.out, layout.help);
  verb.does([folder, layouts] {
    bool asked = false;
    for (const Layout& layout : *layouts) {
      if (layout.out.empty()) continue;
      asked = true;
      fmt::print(stderr, "{}: {} {}\n", layout.out, layout.write(*folder, layout.out), layout.things);
    }
    if (!asked) throw WrongUsage("export: expected --parquet FILE or a folder for another layout, found none");
    return 0;
  });
}

void add_results(Verb app) {
  const auto file = std::make_shared<std::string>(), out = std::make_shared<std::string>();
  Verb verb = app.group("results", "results of trainings made elsewhere")
                  .verb("import", "outcome files of lm-evaluation-harness, lighteval or JSON lines as a results folder");
  verb.option("file", *file, "which row and seed each file is of (docs/evaluation.md)").required().called("FILE.toml");
  verb.option("--out", *out, "the results folder to write").required().called("DIR");
  verb.does([file, out] {
    const harness::Imported done = harness::import_results(*file, *out);
    fmt::print(stderr, "{} rows, {} files, {} responses; `medsbench table {}` writes the tables\n", done.rows, done.files,
               done.responses, *out);
    return 0;
  });
}

void add_judge(Verb app) {
  const auto options = std::make_shared<harness::JudgingOptions>();
  const auto out = std::make_shared<std::string>();
  Verb verb = app.verb("judge",
                       "another model rates diversity or names errors of stored responses (key: MEDSBENCH_JUDGE_KEY or "
                       "OPENAI_API_KEY)");
  verb.option("analysis", options->analysis, "diversity (within and across steps) or errors (11 categories)")
      .required()
      .one_of({"diversity", "errors"});
  verb.option("paths", options->paths, "outcome files, evaluations' folders, or a training's folder (its validations)")
      .required();
  verb.option("--endpoint", options->endpoint, "URL up to .../v1").from_environment("OPENAI_BASE_URL").required();
  verb.option("--model", options->judge.model, "as the endpoint names it").required();
  verb.option("--cache", options->judge.cache, "folder of the answers, by hash of the question").shows_default();
  verb.flag("--cached-only", options->judge.cached_only, "send nothing: derive again from the stored answers");
  verb.option("--responses", options->judged.responses, "rated together").shows_default().between(2, 10000);
  verb.option("--errors", options->judged.wrong_answers, "wrong answers to categorise").shows_default().at_least(1);
  verb.option("--seed", options->judged.seed, "key of the choice of responses").shows_default();
  verb.option("--timeout", options->timeout, "seconds without a byte after which an attempt is given up")
      .shows_default()
      .positive();
  verb.option("--attempts", options->judge.attempts, "of one question").shows_default().at_least(1);
  verb.option("--first-wait", options->judge.first_wait, "seconds before the second attempt, doubled each time")
      .shows_default();
  verb.option("--grader", options->grader, "whose verdicts say what is wrong (default: the main one)");
  verb.option("--data", options->problems.data_dir, "where published sets lie");
  verb.option("--split", options->problems.split, "split of the problems (validation for a training's folder)").shows_default();
  verb.option("--out", *out, "also write the result to this file");
  verb.does([options, out] { return judge(*options, *out); });
}

void add_claim(Verb app) {
  const auto claim = std::make_shared<harness::ClaimFile>();
  Verb verb =
      app.verb("claim", "published gains against measured noise: how often chance makes as much, what would confirm them");
  verb.option("file", claim->path, "TOML of published numbers, as for table.published").required();
  verb.option("--row", claim->row, "published row that claims a gain").required();
  verb.option("--against", claim->against, "published row that it is a gain over").required();
  verb.option("--from", claim->results, "results folder whose noise is measured").required();
  verb.option("--seeds", claim->seeds, "runs behind each published number").at_least(1).shows_default();
  verb.does([claim] {
    fmt::print("{}", harness::claims_text(*claim));
    return 0;
  });
}

}  // namespace experiments
