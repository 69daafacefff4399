// Figures of an experiment, drawn by gnuplot as SVG: pass@k with bands, training curves with seed bands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"

namespace harness {

struct CurveLine {
  std::string label;
  bool trained = true;
  size_t place = 0;  // among the trained rows, for its colour
  struct Point {
    double x = 0, value = 0, low = 0, high = 0;
  };
  std::vector<Point> points;
  std::vector<int64_t> alarms{};  // steps at which an alarm about this chart's metric began
};

// The x label of charts over training: their axis goes from the first to the last step.
inline constexpr const char* kStepLabel = "training step";

// One picture as data, before it is drawn; curves.csv holds these numbers.
struct Chart {
  std::string name;     // of the file, without ".svg"
  std::string section;  // "pass@k" | "checkpoints" | "training" | "labels" | "clusters"
  std::string title, x_label, y_label;
  std::string description;  // for readers who do not see the picture
  bool logarithmic_x = false;
  std::vector<CurveLine> lines;
};

// Charts of the clusters that trainings measured (meds/cluster_watch.h): agreement with the true labels and with equal answers
// over training, a chart a row and a line a choice; sizes of clusters and penalties in the last third of training.
std::vector<Chart> cluster_charts(const ExperimentResults& results);

// pass@k for k = 1, 2, 4, ... n, averaged over the sets and for each set, one chart a base model; the average over
// the steps that trainings were evaluated at, a chart a k of the table; then a chart for each
// training metric that is there (reward, pass rate on the training problems, entropy, response length, diversity, memory).
std::vector<Chart> experiment_charts(const ExperimentResults& results);

// chart,row,x,value,low,high lines.
std::string curves_csv(const std::vector<Chart>& charts);

struct Figure {
  Chart chart;
  std::string svg;  // tidy, without a ground
};
struct Figures {
  std::vector<Figure> figures;
  std::vector<std::string> warnings;
};
// Without gnuplot there are no figures but one warning.
Figures draw_figures(const ExperimentResults& results);

// gnuplot's input for one chart.
std::string gnuplot_script(const Chart& chart);

}  // namespace harness
