#include "harness/report/page/page.h"

#include <utility>
#include <vector>

#include "harness/core/error.h"
#include "harness/report/figures/svg.h"
#include "harness/report/page/sections.h"
#include "harness/report/page/style.h"

namespace harness {

namespace {

constexpr const char* kPassNote =
    "Bands: 95 % intervals of each row by itself, over problems and training seeds (over problems alone where a row has one "
    "seed). They say little of the difference of two rows, which share problems and seeds: the paired intervals of differences "
    "stand in the table's tooltips and in table.csv.";
constexpr const char* kCheckpointNote =
    "Policies evaluated after some steps of their trainings, step 0: the base model. Bands: 95 % intervals of each row by "
    "itself.";
constexpr const char* kTrainingNote =
    "Lines: mean over the seeds; bands: from the smallest to the largest seed. Kept responses are those that the filter "
    "leaves: "
    "a row with a filter keeps groups with right and wrong responses alone, so its reward and its answers are not those of a "
    "row "
    "without one.";

}  // namespace

std::string html_page(const ExperimentResults& results, const Summary& summary, const Figures& figures) {
  struct Section {
    std::string id, title, body;
  };
  const std::vector<Section> sections{
      {"results", "Results", html_tables(summary)},
      {"pass-at-k", "pass@k with 95 % intervals", html_figures(figures, "pass@k", kPassNote)},
      {"checkpoints", "Over training: pass@k at checkpoints",
       html_figures(figures, "checkpoints", kCheckpointNote) + html_checkpoints(results)},
      {"noise", "Where the noise comes from", html_noise(results, summary)},
      {"alarms", "Alarms while training", html_alarms(results)},
      {"training", "Training, mean over seeds and range", html_figures(figures, "training", kTrainingNote)},
      {"problems", "Problems gained and lost", html_heat_maps(results)},
      {"labels", "What the wrong answers did", html_error_labels(results) + html_figures(figures, "labels")},
      {"clusters", "Clusters of wrong responses against the truth", html_figures(figures, "clusters")},
      {"groups", "Sizes of groups of equal wrong answers", html_wrong_groups(results)},
      {"responses", "Responses", html_responses(results)},
      {"configs", "What the rows differ in", html_config_differences(results)},
      {"machine", "Machine, and how to derive this again", html_machine(results)},
      {"timing", "Time and memory", html_timing(results)}};
  std::string navigation, body;
  for (const Section& section : sections) {
    if (section.body.empty()) continue;
    navigation += fmt::format("<a href=\"#{}\">{}</a>", section.id, markup_escape(section.title));
    body += html_section(section.id, section.title, section.body);
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<style>{1}</style></head>\n<body><main><header><h1>{0}</h1>\n<nav>{2}</nav></header>\n{3}</main></body></html>\n",
      markup_escape(summary.title), html_style(), navigation, body);
}

}  // namespace harness
