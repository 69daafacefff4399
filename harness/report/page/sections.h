// The sections of report.html: each returns finished markup, or "" where the experiment has nothing for it.
#pragma once

#include <string>

#include "harness/report/figures/figures.h"
#include "harness/report/table/summary.h"

namespace harness {

// <section id=...><h2>title</h2>body</section>; "" for an empty body.
std::string html_section(const std::string& id, const std::string& title, const std::string& body);

std::string html_tables(const Summary& summary);
// The figures of a section under a note, which is markup; "" : none.
std::string html_figures(const Figures& figures, const std::string& section, const std::string& note = "");
// The parts of the variance of each row's average and of each comparison.
std::string html_noise(const ExperimentResults& results, const Summary& summary);
// pass@k over the steps that trainings were evaluated at.
std::string html_checkpoints(const ExperimentResults& results);
// Which alarms the trainings met, in how many of a row, and when first.
std::string html_alarms(const ExperimentResults& results);
// A strip of problems for each compared row: its pass rate minus that of the row it is compared with.
std::string html_heat_maps(const ExperimentResults& results);
// How many equal wrong answers stand together, and which known strategies they follow.
std::string html_wrong_groups(const ExperimentResults& results);
std::string html_error_labels(const ExperimentResults& results);
std::string html_responses(const ExperimentResults& results);
std::string html_config_differences(const ExperimentResults& results);
std::string html_machine(const ExperimentResults& results);
// Seconds and memory of the cells from their timing.json, in this page only.
std::string html_timing(const ExperimentResults& results);

}  // namespace harness
