// Alarms: what goes wrong while a training runs, found by thresholds on the metrics of its steps. They change no result.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/train/method/sample.h"

namespace harness {

// Thresholds, 0: off. A step meets an alarm where its metric lies beyond.
struct AlarmSettings {
  double collapse_entropy = 0.001;     // sampling_entropy below, nats a token (train.collapse_entropy)
  double entropy_fall = 0.1;           // sampling_entropy below this share of the first step's
  double entropy_rise = 4;             // sampling_entropy above this multiple of the first step's
  double truncated = 0.5;              // share of responses
  double one_sided_groups = 0.9;       // share of groups
  double repeated_wrong = 0.95;        // share of wrong answers
  double disagreement = 0.05;          // share of the responses graded twice
  double log_ratio = 10;               // largest |log ratio| of a token, nats
  double chi_square = 1;               // of sampling against scoring
  double perplexity_ratio = 1.2;       // of scoring over sampling, or the other way round
  std::string second_grader = "none";  // grades a sample of the responses again, for `disagreement`
  double second_share = 0.1;           // of the responses
};
// Reads alarm.* and train.collapse_entropy. Throws Error for a second grader that is none.
AlarmSettings read_alarm_settings(ConfigReader& keys);

// Prefix of the metrics that say which alarms a step meets: alarm/NAME = 1.
inline constexpr const char* kAlarmPrefix = "alarm/";

class Alarms {
 public:
  explicit Alarms(const AlarmSettings& settings) : settings_(settings) {}
  // Of each step in order: adds alarm/NAME = 1 to `metrics` for each alarm that it meets, and returns a line for each that the
  // step before did not meet. Given the lines of a metrics file again, it goes on where the training that wrote them stood.
  std::vector<std::string> check(int64_t step, Metrics& metrics);

 private:
  AlarmSettings settings_;
  std::optional<double> first_entropy_;
  std::set<std::string> met_;  // by the last step
};

}  // namespace harness
