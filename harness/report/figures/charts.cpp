#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/report/figures/figures.h"
#include "harness/report/table/checkpoints.h"
#include "harness/stats/compare.h"
#include "harness/stats/pass_at_k.h"

namespace harness {

namespace {

struct TrainingMetric {
  std::string file, title, y_label;
  std::vector<std::string> names;        // in metrics.jsonl; the first that is there
  std::vector<std::string> alarms = {};  // about it, marked in the chart
};

const std::vector<TrainingMetric>& training_metrics() {
  static const std::vector<TrainingMetric> kMetrics{
      {"reward", "Reward of kept responses", "mean reward", {"reward"}, {"one_sided_groups"}},
      // train_pass_rate: its name in files up to version 0.1.0.
      {"train_pass_rate", "Rollout pass rate", "share of sampled responses", {"rollout_pass_rate", "train_pass_rate"}},
      {"validation", "Validation", "pass@1", {"validation/pass@1"}},
      {"entropy",
       "Token entropy",
       "nats a token",
       {"entropy", "sampling_entropy"},
       {"collapse", "entropy_fall", "entropy_rise"}},
      {"response_length", "Response length", "tokens", {"response_tokens"}, {"truncated"}},
      {"diversity", "Distinct answers in a kept group", "answers a group", {"distinct_answers"}},
      {"largest_wrong_share",
       "Largest group of equal wrong answers",
       "share of wrong answers",
       {"largest_wrong_share"},
       {"repeated_wrong"}},
      {"eigen_ratio", "Top-1 eigen ratio of a problem's fingerprints", "largest eigenvalue / trace", {"eigen_ratio"}},
      {"eigen_ratio_pooled", "Top-1 eigen ratio of a step's fingerprints", "eigenvalue / trace", {"eigen_ratio_pooled"}},
      {"repeated_answers", "Wrong answers that an earlier step had", "share of wrong responses", {"repeated_answer_share"}},
      {"repeated_labels", "True error labels that an earlier step had", "share of wrong responses", {"repeated_label_share"}},
      {"meds_history_share", "Wrong responses with a history in memory", "share", {"meds_history_share"}},
      {"meds_penalty_mean", "Penalty of MEDS", "mean over responses", {"meds_penalty_mean"}},
      {"meds_size_mean", "Size of the cluster looked up", "stored vectors", {"meds_size_mean"}},
      {"meds_rank_label", "Size looked up against recurrence of the label", "rank correlation", {"meds_rank_label"}},
      {"meds_spread", "Penalty within a group", "deviation over wrong responses", {"meds_spread"}}};
  return kMetrics;
}

// When an alarm of the list began in any of the trainings, in order.
std::vector<int64_t> alarm_steps(const std::vector<const TrainingCurves*>& seeds, const std::vector<std::string>& alarms) {
  std::set<int64_t> steps;
  for (const TrainingCurves* curves : seeds) {
    for (const auto& [name, begins] : alarm_onsets(*curves)) {
      if (std::find(alarms.begin(), alarms.end(), name) != alarms.end()) steps.insert(begins.begin(), begins.end());
    }
  }
  return {steps.begin(), steps.end()};
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
    if (std::find(models.begin(), models.end(), row.record.base_model) == models.end()) models.push_back(row.record.base_model);
  }
  return models;
}

// The rows of one base model as empty lines in their colours.
std::vector<std::pair<const RowResults*, CurveLine>> lines_of(const ExperimentResults& results, const std::string& base_model) {
  std::vector<std::pair<const RowResults*, CurveLine>> lines;
  size_t trained = 0;
  for (const RowResults& row : results.rows) {
    if (row.record.base_model != base_model) continue;
    CurveLine line{row.record.shown(), row.trained(), trained, {}};
    if (line.trained) ++trained;
    lines.emplace_back(&row, line);
  }
  return lines;
}

CurveLine::Point band_point(double x, const MeanInterval& mean) {
  const double low = std::isnan(mean.low) ? mean.value : mean.low;
  const double high = std::isnan(mean.high) ? mean.value : mean.high;
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
    for (const int64_t k : powers_of_two_up_to(results.record.n)) {
      std::vector<SeedTable> tables;
      for (const std::string& set : sets) tables.push_back(seed_table(*row, set, Quantity::pass(k)));
      const MeanInterval mean = crossed_rate(tables);
      if (!std::isnan(mean.value)) line.points.push_back(band_point(static_cast<double>(k), mean));
    }
    if (!line.points.empty()) chart.lines.push_back(line);
  }
  chart.description =
      fmt::format("pass@k in percent over k = 1 to {} with 95 % intervals: {}.", results.record.n, spoken_ends(chart.lines));
  return chart;
}

Chart checkpoint_chart(const ExperimentResults& results, const std::string& base_model, int64_t k, const std::string& name,
                       const std::string& title) {
  Chart chart{name, "checkpoints", title, kStepLabel, fmt::format("pass@{}, percent", k), "", false, {}};
  for (auto& [row, line] : lines_of(results, base_model)) {
    for (const int64_t step : checkpoint_steps(*row)) {
      const MeanInterval mean = checkpoint_mean(*row, results.record.sets, Quantity::pass(k), step);
      if (!std::isnan(mean.value)) line.points.push_back(band_point(static_cast<double>(step), mean));
    }
    if (!line.points.empty()) chart.lines.push_back(line);
  }
  chart.description =
      fmt::format("pass@{} in percent over training steps with 95 % intervals: {}.", k, spoken_ends(chart.lines));
  return chart;
}

Chart training_chart(const ExperimentResults& results, const std::string& base_model, const TrainingMetric& metric,
                     const std::string& name, const std::string& title) {
  Chart chart{name, "training", title, kStepLabel, metric.y_label, "", false, {}};
  for (auto& [row, line] : lines_of(results, base_model)) {
    std::vector<const TrainingCurves*> seeds;
    for (const SeedResults& seed : row->seeds) seeds.push_back(&seed.curves);
    for (const std::string& key : metric.names) {
      const std::vector<CurvePoint> band = seed_band(seeds, key);
      for (const CurvePoint& point : band) {
        line.points.push_back({static_cast<double>(point.step), point.mean, point.low, point.high});
      }
      if (!band.empty()) break;
    }
    line.alarms = alarm_steps(seeds, metric.alarms);
    if (!line.points.empty()) chart.lines.push_back(line);
  }
  chart.description =
      fmt::format("{} over training steps, mean over seeds with the range between the smallest and the largest: {}.",
                  metric.title, spoken_ends(chart.lines));
  for (const CurveLine& line : chart.lines) {
    if (!line.alarms.empty())
      chart.description += fmt::format(" Alarms of {} at step {}.", line.label, fmt::join(line.alarms, ", "));
  }
  return chart;
}

constexpr std::string_view kLabelPrefix = "error_label/";

// Shares of the true error labels among a row's wrong responses over training, and each label's sum over the steps.
std::vector<std::pair<double, CurveLine>> label_lines(const RowResults& row) {
  std::vector<const TrainingCurves*> seeds;
  std::set<std::string> labels;
  for (const SeedResults& seed : row.seeds) {
    seeds.push_back(&seed.curves);
    for (const auto& [key, values] : seed.curves) {
      if (key.starts_with(kLabelPrefix)) labels.insert(key);
    }
  }
  std::vector<std::pair<double, CurveLine>> lines;
  for (const std::string& label : labels) {
    CurveLine line{label.substr(kLabelPrefix.size()), true, 0, {}};
    double sum = 0;
    for (const CurvePoint& point : seed_band(seeds, label)) {
      line.points.push_back({static_cast<double>(point.step), point.mean, point.low, point.high});
      sum += point.mean;
    }
    lines.emplace_back(sum, line);
  }
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  return lines;
}

// A place for each label, and so a colour, in the charts of all rows: the most frequent of all first.
std::map<std::string, size_t> label_places(const ExperimentResults& results) {
  std::map<std::string, double> sums;
  for (const RowResults& row : results.rows) {
    for (const auto& [sum, line] : label_lines(row)) sums[line.label] += sum;
  }
  std::vector<std::pair<std::string, double>> order(sums.begin(), sums.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::map<std::string, size_t> places;
  for (const auto& [label, sum] : order) places.emplace(label, places.size());
  return places;
}

// The labels with the largest mean shares of one row.
Chart label_chart(const RowResults& row, const std::string& name, const std::map<std::string, size_t>& places) {
  constexpr size_t kLabels = 7;
  Chart chart{name,  "labels", "Error labels, " + row.record.shown(), kStepLabel, "share of labelled wrong responses", "",
              false, {}};
  for (auto& [sum, line] : label_lines(row)) {
    if (chart.lines.size() == kLabels) break;
    line.place = places.at(line.label);
    chart.lines.push_back(line);
  }
  chart.description =
      fmt::format("Shares of error labels over training of {}: {}.", row.record.shown(), spoken_ends(chart.lines));
  return chart;
}

}  // namespace

std::vector<Chart> experiment_charts(const ExperimentResults& results) {
  std::vector<Chart> charts;
  const std::vector<std::string> models = base_models(results);
  for (const std::string& model : models) {
    const std::string suffix = models.size() > 1 ? "_" + file_name(model) : "";
    const std::string of = models.size() > 1 ? " (" + model + ")" : "";
    charts.push_back(pass_chart(results, model, results.record.sets, "pass_at_k" + suffix, "pass@k, average of all sets" + of));
    for (const std::string& set : results.record.sets) {
      if (results.record.sets.size() < 2) break;
      charts.push_back(pass_chart(results, model, {set}, "pass_at_k" + suffix + "_" + file_name(set), "pass@k, " + set + of));
    }
    for (const int64_t k : results.record.k) {
      charts.push_back(checkpoint_chart(results, model, k, fmt::format("checkpoints{}_pass_at_{}", suffix, k),
                                        fmt::format("pass@{} over training, average of all sets{}", k, of)));
    }
    for (const TrainingMetric& metric : training_metrics()) {
      charts.push_back(training_chart(results, model, metric, "training" + suffix + "_" + metric.file, metric.title + of));
    }
  }
  const std::map<std::string, size_t> places = label_places(results);
  for (size_t i = 0; i < results.rows.size(); ++i) {
    if (results.rows[i].trained()) charts.push_back(label_chart(results.rows[i], fmt::format("labels_{}", i + 1), places));
  }
  const std::vector<Chart> clusters = cluster_charts(results);
  charts.insert(charts.end(), clusters.begin(), clusters.end());
  std::erase_if(charts, [](const Chart& chart) { return chart.lines.empty(); });
  return charts;
}

std::string curves_csv(const std::vector<Chart>& charts) {
  std::string text = "chart,row,x,value,low,high\n";
  for (const Chart& chart : charts) {
    for (const CurveLine& line : chart.lines) {
      for (const CurveLine::Point& point : line.points) {
        text += fmt::format("{},{},{},{},{},{}\n", csv_field(chart.name), csv_field(line.label), point.x, point.value,
                            point.low, point.high);
      }
    }
  }
  return text;
}

}  // namespace harness
