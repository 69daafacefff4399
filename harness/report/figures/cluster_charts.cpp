#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "harness/core/error.h"
#include "harness/report/figures/figures.h"

namespace harness {

namespace {

constexpr const char* kClusters = "clusters/";

std::vector<const TrainingCurves*> curves_of(const RowResults& row) {
  std::vector<const TrainingCurves*> seeds;
  for (const SeedResults& seed : row.seeds) seeds.push_back(&seed.curves);
  return seeds;
}

// The choices that a row's trainings measured, in the order of their list.
std::vector<std::string> choices_of(const RowResults& row) {
  const std::string suffix = "/place";
  std::map<double, std::string> by_place;
  for (const SeedResults& seed : row.seeds) {
    for (const auto& [name, values] : seed.curves) {
      if (!name.starts_with(kClusters) || !name.ends_with(suffix) || values.empty()) continue;
      const size_t begin = std::string(kClusters).size();
      by_place[values.begin()->second] = name.substr(begin, name.size() - begin - suffix.size());
    }
  }
  std::vector<std::string> choices;
  for (const auto& [place, choice] : by_place) choices.push_back(choice);
  return choices;
}

// Adjusted Rand index of each choice over training.
Chart agreement_chart(const RowResults& row, const std::string& name, const std::string& truth, const std::string& title) {
  Chart chart{name, "clusters", title + ", " + row.record.shown(), kStepLabel, "adjusted Rand index", "", false, {}};
  for (const std::string& choice : choices_of(row)) {
    CurveLine line{choice, true, chart.lines.size(), {}};
    for (const CurvePoint& point : seed_band(curves_of(row), kClusters + choice + "/" + truth + "/adjusted_rand")) {
      line.points.push_back({static_cast<double>(point.step), point.mean, point.low, point.high});
    }
    if (!line.points.empty()) chart.lines.push_back(line);
  }
  chart.description = fmt::format(
      "Agreement of the clusters of stored wrong responses over training, by layer choice, mean over "
      "seeds with their range: {} lines.",
      chart.lines.size());
  return chart;
}

// Mean of a metric over the last third of a training; none where it is not there.
std::vector<double> last_third(const RowResults& row, const std::string& metric) {
  std::vector<double> means;
  for (const SeedResults& seed : row.seeds) {
    const auto found = seed.curves.find(metric);
    if (found == seed.curves.end() || found->second.empty()) continue;
    const int64_t last = found->second.rbegin()->first;
    double sum = 0;
    int64_t count = 0;
    for (const auto& [step, value] : found->second) {
      if ((step - 1) * 3 / last < 2) continue;
      sum += value;
      ++count;
    }
    if (count > 0) means.push_back(sum / static_cast<double>(count));
  }
  return means;
}

// Shares by the number at the end of a metric's name, PREFIX then X: one line a row, mean over seeds with their range.
Chart histogram(const ExperimentResults& results, const std::string& prefix, Chart chart) {
  size_t trained = 0;
  for (const RowResults& row : results.rows) {
    CurveLine line{row.record.shown(), row.trained(), trained, {}};
    if (line.trained) ++trained;
    std::map<double, std::string> places;
    for (const SeedResults& seed : row.seeds) {
      for (const auto& [name, values] : seed.curves) {
        if (!name.starts_with(prefix)) continue;
        double x = 0;
        const std::string text = name.substr(prefix.size());
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), x);
        if (problem == std::errc() && end == text.data() + text.size()) places[x] = name;
      }
    }
    for (const auto& [x, name] : places) {
      const std::vector<double> means = last_third(row, name);
      if (means.empty()) continue;  // only earlier steps have it
      double sum = 0;
      for (const double mean : means) sum += mean;
      line.points.push_back({x, sum / static_cast<double>(means.size()), *std::min_element(means.begin(), means.end()),
                             *std::max_element(means.begin(), means.end())});
    }
    if (!line.points.empty()) chart.lines.push_back(line);
  }
  return chart;
}

}  // namespace

std::vector<Chart> cluster_charts(const ExperimentResults& results) {
  std::vector<Chart> charts;
  for (size_t i = 0; i < results.rows.size(); ++i) {
    const RowResults& row = results.rows[i];
    if (choices_of(row).size() < 2) continue;  // one line: clusters.md has its numbers
    const std::string number = std::to_string(i + 1);
    charts.push_back(agreement_chart(row, "clusters_" + number + "_labels", "labels", "Clusters and true error labels"));
    charts.push_back(agreement_chart(row, "clusters_" + number + "_answers", "answers", "Clusters and equal answers"));
  }
  charts.push_back(histogram(results, "cluster_size/",
                             {"clusters_sizes",
                              "clusters",
                              "Sizes of clusters, last third of training",
                              "responses in the cluster (at least, up to the next mark)",
                              "share of clusters",
                              "Shares of clusters by their size in the last third of training, a line a row.",
                              true,
                              {}}));
  charts.push_back(histogram(results, "meds_penalty_at/",
                             {"clusters_penalties",
                              "clusters",
                              "Penalties, last third of training",
                              "penalty",
                              "share of responses",
                              "Shares of the penalised kind of responses by penalty, a line a row.",
                              false,
                              {}}));
  std::erase_if(charts, [](const Chart& chart) { return chart.lines.empty(); });
  return charts;
}

}  // namespace harness
