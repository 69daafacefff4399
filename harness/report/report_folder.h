// The files of a results folder that are made from its stored outcomes: tables, counts, curves, figures, the HTML page.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/report/table/summary.h"

namespace harness {

struct NamedText {
  std::string name;  // relative to the folder
  std::string text;
};

// table.md, table.tex, table.csv, results.json, counts.csv, verdicts.csv where rows are compared, curves.csv, manifest.json,
// noise.csv and noise.md where a value has an interval, checkpoints.csv and checkpoints.md where trainings were evaluated in
// between, and clusters.csv and clusters.md where one measured clusters: everything whose numbers `verify` derives again. A
// pure function of what is stored: no time stamps, no seconds.
std::vector<NamedText> table_files(const ExperimentResults& results, const Summary& summary);

struct ReportSettings {
  std::string output;   // "": the experiment's own folder
  bool figures = true;  // SVG through gnuplot
  bool page = true;     // report.html
};

struct ReportDone {
  Summary summary;
  std::vector<std::string> files;     // written, relative to the output folder
  std::vector<std::string> warnings;  // one line each
};

// Throws Error unless every seed that FOLDER's experiment.json calls done has its outcome file here: a table without them would
// be one of dashes.
void require_outcomes(const std::string& folder);

// Reads FOLDER's experiment and writes its tables, figures and page. A file that would not change is left alone. Throws Error
// before anything is written where outcomes are required and missing.
ReportDone write_report(const std::string& folder, const ReportSettings& settings = {});

}  // namespace harness
