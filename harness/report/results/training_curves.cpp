#include "harness/report/results/training_curves.h"

#include <algorithm>
#include <string_view>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/stats/aggregate.h"

namespace harness {

TrainingCurves read_training_curves(const std::string& path) {
  const std::string text = read_file(path);
  TrainingCurves curves;
  size_t begin = 0;
  for (int64_t number = 1; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    const Json json = with_context(fmt::format("{}: line {}", path, number), [&] { return parse_json(line); });
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) continue;
    const int64_t step = json["step"].get<int64_t>();
    for (const auto& [name, value] : json.items()) {
      if (name != "step" && value.is_number()) curves[name][step] = value.get<double>();
    }
  }
  return curves;
}

std::map<std::string, std::vector<int64_t>> alarm_onsets(const TrainingCurves& curves) {
  constexpr std::string_view kPrefix = "alarm/";
  std::map<std::string, std::vector<int64_t>> onsets;
  for (const auto& [name, steps] : curves) {
    if (!name.starts_with(kPrefix)) continue;
    std::vector<int64_t>& begins = onsets[name.substr(kPrefix.size())];
    for (const auto& [step, value] : steps) {
      if (!steps.contains(step - 1)) begins.push_back(step);
    }
  }
  return onsets;
}

std::vector<CurvePoint> seed_band(const std::vector<const TrainingCurves*>& seeds, const std::string& metric) {
  std::map<int64_t, std::vector<double>> by_step;
  for (const TrainingCurves* curves : seeds) {
    const auto found = curves->find(metric);
    if (found == curves->end()) continue;
    for (const auto& [step, value] : found->second) by_step[step].push_back(value);
  }
  std::vector<CurvePoint> band;
  for (const auto& [step, values] : by_step) {
    band.push_back({step, mean_of(values), *std::min_element(values.begin(), values.end()),
                    *std::max_element(values.begin(), values.end())});
  }
  return band;
}

}  // namespace harness
