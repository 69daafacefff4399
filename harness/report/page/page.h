// report.html: one experiment as one self-contained page; no network, no script, light and dark, for phones and paper too.
#pragma once

#include <string>

#include "harness/report/figures/figures.h"
#include "harness/report/table/summary.h"

namespace harness {

// Problems a set whose responses the page shows.
inline constexpr int64_t kReadProblems = 3;

// Everything a model, a data set or a config wrote is escaped.
std::string html_page(const ExperimentResults& results, const Summary& summary, const Figures& figures);

}  // namespace harness
