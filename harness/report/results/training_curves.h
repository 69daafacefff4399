// TrainingCurves: the numbers of a metrics.jsonl over training steps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace harness {

// Metric name -> step -> value. Lines without an integer "step" (a header) and values that are no numbers are left out.
using TrainingCurves = std::map<std::string, std::map<int64_t, double>>;

// Throws Error("PATH: line N: ...") for a line that is not JSON.
TrainingCurves read_training_curves(const std::string& path);

// The steps at which each alarm began to hold (metrics alarm/NAME of harness/train/alarms.h), by its name.
std::map<std::string, std::vector<int64_t>> alarm_onsets(const TrainingCurves& curves);

// One metric over the seeds that have it.
struct CurvePoint {
  int64_t step = 0;
  double mean = 0, low = 0, high = 0;  // mean, smallest and largest over the seeds
};
std::vector<CurvePoint> seed_band(const std::vector<const TrainingCurves*>& seeds, const std::string& metric);

}  // namespace harness
