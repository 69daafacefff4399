#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "harness/core/error.h"
#include "harness/report/csv.h"
#include "harness/report/figures.h"
#include "harness/report/intervals.h"
#include "harness/stats/pass_at_k.h"

namespace harness {

namespace {

struct TrainingMetric {
  std::string file, title, y_label;
  std::vector<std::string> names;  // in metrics.jsonl; the first that is there
};

const std::vector<TrainingMetric>& training_metrics() {
  static const std::vector<TrainingMetric> kMetrics{
      {"reward", "Reward", "mean reward", {"reward", "mean_reward", "reward_mean"}},
      {"train_pass_rate", "Pass rate on the training problems", "pass@1", {"train_pass_rate", "pass_rate", "correct"}},
      {"entropy", "Token entropy", "nats a token", {"entropy"}},
      {"response_length", "Response length", "tokens", {"response_length", "response_tokens", "length"}},
      {"diversity", "Diversity of the answers", "distinct answers a problem", {"distinct_answers", "diversity"}},
      {"validation", "Validation", "pass@1", {"validation", "validation_pass@1", "eval_pass@1"}},
      {"history", "Wrong responses with a history", "share", {"meds_with_history", "wrong_with_history", "meds.with_history"}},
      {"penalty", "Penalty of wrong responses", "mean", {"meds_penalty", "mean_penalty", "meds.penalty"}}};
  return kMetrics;
}

std::string file_name(std::string text) {
  for (char& character : text) {
    if (!std::isalnum(static_cast<unsigned char>(character)) && character != '-') character = '_';
  }
  return text;
}

std::vector<std::string> base_models(const ExperimentResults& results) {
  std::vector<std::string> models;
  for (const RowResults& row : results.rows) {
    if (std::find(models.begin(), models.end(), row.row.base_model) == models.end()) models.push_back(row.row.base_model);
  }
  return models;
}

// The rows of one base model as empty lines in their colours.
std::vector<std::pair<const RowResults*, CurveLine>> lines_of(const ExperimentResults& results, const std::string& base_model) {
  std::vector<std::pair<const RowResults*, CurveLine>> lines;
  size_t trained = 0;
  for (const RowResults& row : results.rows) {
    if (row.row.base_model != base_model) continue;
    CurveLine line{row.row.shown(), row.trained(), trained, {}};
    if (line.trained) ++trained;
    lines.emplace_back(&row, line);
  }
  return lines;
}

CurveLine::Point band_point(double x, const MeanInterval& mean) {
  const double low = std::isnan(mean.low) ? mean.value : std::max(0.0, mean.low);
  const double high = std::isnan(mean.high) ? mean.value : std::min(1.0, mean.high);
  return {x, 100 * mean.value, 100 * low, 100 * high};
}

// "Base 33.9 to 97.0, MEDS 58.5 to 100.0"
std::string spoken_ends(const std::vector<CurveLine>& lines) {
  std::string text;
  for (const CurveLine& line : lines) {
    if (line.points.empty()) continue;
    text += fmt::format("{}{} from {:.3g} to {:.3g}", text.empty() ? "" : ", ", line.label, line.points.front().value,
                        line.points.back().value);
  }
  return text;
}

Chart pass_chart(const ExperimentResults& results, const std::string& base_model, const std::vector<std::string>& sets,
                 const std::string& name, const std::string& title) {
  Chart chart{name, "pass@k", title, "k (samples)", "pass@k, percent", "", true, {}};
  for (auto& [row, line] : lines_of(results, base_model)) {
    for (const int64_t k : powers_of_two_up_to(results.manifest.n)) {
      std::vector<ValueTable> tables;
      for (const std::string& set : sets) tables.push_back(value_table(*row, set, fmt::format("pass@{}", k)));
      const MeanInterval mean = mean_interval(tables);
      if (!std::isnan(mean.value)) line.points.push_back(band_point(static_cast<double>(k), mean));
    }
    if (!line.points.empty()) chart.lines.push_back(line);
  }
  chart.description = fmt::format("pass@k in percent over k = 1 to {} with 95 % intervals: {}.", results.manifest.n,
                                  spoken_ends(chart.lines));
  return chart;
}

Chart training_chart(const ExperimentResults& results, const std::string& base_model, const TrainingMetric& metric,
                     const std::string& name, const std::string& title) {
  Chart chart{name, "training", title, "training step", metric.y_label, "", false, {}};
  for (auto& [row, line] : lines_of(results, base_model)) {
    std::vector<const TrainingCurves*> seeds;
    for (const CellResults& cell : row->cells) seeds.push_back(&cell.curves);
    for (const std::string& key : metric.names) {
      const std::vector<CurvePoint> band = seed_band(seeds, key);
      for (const CurvePoint& point : band) {
        line.points.push_back({static_cast<double>(point.step), point.mean, point.low, point.high});
      }
      if (!band.empty()) break;
    }
    if (!line.points.empty()) chart.lines.push_back(line);
  }
  chart.description = fmt::format("{} over training steps, mean over seeds with the range between the smallest and the largest: {}.",
                                  metric.title, spoken_ends(chart.lines));
  return chart;
}

}  // namespace

std::vector<Chart> experiment_charts(const ExperimentResults& results) {
  std::vector<Chart> charts;
  const std::vector<std::string> models = base_models(results);
  for (const std::string& model : models) {
    const std::string suffix = models.size() > 1 ? "_" + file_name(model) : "";
    const std::string of = models.size() > 1 ? " (" + model + ")" : "";
    charts.push_back(pass_chart(results, model, results.manifest.sets, "pass_at_k" + suffix, "pass@k, average of all sets" + of));
    for (const std::string& set : results.manifest.sets) {
      if (results.manifest.sets.size() < 2) break;
      charts.push_back(pass_chart(results, model, {set}, "pass_at_k" + suffix + "_" + file_name(set), "pass@k, " + set + of));
    }
    for (const TrainingMetric& metric : training_metrics()) {
      charts.push_back(training_chart(results, model, metric, "training" + suffix + "_" + metric.file, metric.title + of));
    }
  }
  std::erase_if(charts, [](const Chart& chart) { return chart.lines.empty(); });
  return charts;
}

std::string curves_csv(const std::vector<Chart>& charts) {
  std::string text = "chart,row,x,value,low,high\n";
  for (const Chart& chart : charts) {
    for (const CurveLine& line : chart.lines) {
      for (const CurveLine::Point& point : line.points) {
        text += fmt::format("{},{},{},{},{},{}\n", csv_field(chart.name), csv_field(line.label), point.x, point.value, point.low,
                            point.high);
      }
    }
  }
  return text;
}

}  // namespace harness
