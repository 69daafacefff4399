// table, verify: result tables and figures from stored outcomes alone, and the check that a folder's numbers follow from them.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/report/page/page.h"
#include "harness/report/report_folder.h"
#include "harness/report/results_json.h"
#include "harness/report/table/table_text.h"
#include "harness/report/verify.h"

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
  const harness::ExperimentResults results = harness::read_experiment(folder, format == "html" ? harness::kReadProblems : 0);
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

}  // namespace

void add_table(CLI::App& app, Chosen& chosen) {
  const auto choice = std::make_shared<TableChoice>();
  CLI::App* verb = app.add_subcommand("table", "tables and figures from stored outcomes alone");
  verb->add_option("folders", choice->folders, "results folders (with experiment.json)")->required();
  verb->add_option("--format", choice->formats,
                   "one of md, tex, csv, json, html: printed to stdout instead of writing all files; several, joined by "
                   "commas: these files only")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"md", "tex", "csv", "json", "html"}));
  verb->add_option("--out", choice->output, "folder to write to (with one format: the file)");
  verb->callback([&chosen, choice] { chosen = [choice] { return table(*choice); }; });
}

void add_verify(CLI::App& app, Chosen& chosen) {
  const auto folder = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("verify", "derives every number of a results folder again; exit status 1 if any differs");
  verb->add_option("folder", *folder, "results folder")->required();
  verb->callback([&chosen, folder] { chosen = [folder] { return verify(*folder); }; });
}

}  // namespace experiments
