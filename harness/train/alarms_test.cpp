#include "harness/train/alarms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/core/testing.h"
#include "harness/train/testing.h"

namespace harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Names of the alarms that a step's metrics say it meets.
std::vector<std::string> met_by(const Metrics& metrics) {
  std::vector<std::string> names;
  for (const auto& [name, value] : metrics) {
    if (name.starts_with(kAlarmPrefix)) names.push_back(name.substr(std::string(kAlarmPrefix).size()));
  }
  return names;
}

TEST(Alarms, BeginWhereAMetricLiesBeyondItsThreshold) {
  const Metrics healthy = {{"sampling_entropy", 0.5},           {"truncated", 0.1},
                           {"one_sided_groups", 0.4},           {"repeated_wrong", 0.5},
                           {"grader_disagreement", 0.01},       {"largest_log_ratio", 2},
                           {"sampling_scoring_difference", 0},  {"sampling_scoring_chi_square", 0},
                           {"sampling_scoring_perplexity", 1.0}};
  const std::vector<std::tuple<std::string, double, std::string>> cases = {
      {"sampling_entropy", 0.04, "entropy_fall"},
      {"sampling_entropy", 2.1, "entropy_rise"},
      {"truncated", 0.6, "truncated"},
      {"one_sided_groups", 0.95, "one_sided_groups"},
      {"repeated_wrong", 0.99, "repeated_wrong"},
      {"grader_disagreement", 0.06, "disagreement"},
      {"largest_log_ratio", 11, "log_ratio"},
      {"sampling_scoring_difference", 11, "sampling_log_ratio"},
      {"sampling_scoring_chi_square", 1.5, "chi_square"},
      {"sampling_scoring_perplexity", 1.3, "perplexity_ratio"},
      {"sampling_scoring_perplexity", 0.8, "perplexity_ratio"}};
  for (const auto& [metric, value, name] : cases) {
    Alarms alarms{AlarmSettings{}};
    Metrics first = healthy, second = healthy;
    EXPECT_THAT(alarms.check(1, first), IsEmpty());
    EXPECT_EQ(first, healthy);
    second[metric] = value;
    EXPECT_THAT(alarms.check(2, second), ElementsAre(HasSubstr("step 2: "))) << name;
    EXPECT_THAT(met_by(second), ElementsAre(name));
  }
  Alarms alarms{AlarmSettings{}};
  Metrics first = healthy, collapsed = healthy;
  alarms.check(1, first);
  collapsed["sampling_entropy"] = 0.0005;
  EXPECT_THAT(alarms.check(2, collapsed),
              ElementsAre("step 2: mean token entropy 0.0005 is below 0.001 (train.collapse_entropy): "
                          "the policy has collapsed",
                          HasSubstr("0.0005 is below 0.05 (alarm.entropy_fall)")));
}

TEST(Alarms, SayALineOncePerOnsetAndMarkEveryStepThatMeetsThem) {
  Alarms alarms{AlarmSettings{}};
  std::vector<size_t> lines, marks;
  for (const double truncated : {0.1, 0.7, 0.8, 0.2, 0.9}) {
    Metrics metrics = {{"sampling_entropy", 0.5}, {"truncated", truncated}};
    lines.push_back(alarms.check(static_cast<int64_t>(lines.size()) + 1, metrics).size());
    marks.push_back(met_by(metrics).size());
  }
  EXPECT_THAT(lines, ElementsAre(0, 1, 0, 0, 1));
  EXPECT_THAT(marks, ElementsAre(0, 1, 1, 0, 1));
}

TEST(Alarms, AreOffAtZeroAndRefuseASecondGraderThatIsNone) {
  Config config;
  for (const char* key :
       {"train.collapse_entropy", "alarm.entropy_fall", "alarm.entropy_rise", "alarm.truncated", "alarm.one_sided_groups",
        "alarm.repeated_wrong", "alarm.disagreement", "alarm.log_ratio", "alarm.chi_square", "alarm.perplexity_ratio"}) {
    config.set(key, Config::Value(0.0), "test");
  }
  ConfigReader keys(config);
  Alarms alarms(read_alarm_settings(keys));
  keys.finish();
  for (const double value : {1e-9, 1e9}) {
    Metrics metrics;
    for (const char* name :
         {"sampling_entropy", "truncated", "one_sided_groups", "repeated_wrong", "grader_disagreement", "largest_log_ratio",
          "sampling_scoring_difference", "sampling_scoring_chi_square", "sampling_scoring_perplexity"}) {
      metrics[name] = value;
    }
    EXPECT_THAT(alarms.check(1, metrics), IsEmpty());
  }
  config.set("alarm.second_grader", Config::Value(std::string("nobody")), "test");
  ConfigReader again(config);
  EXPECT_THAT(error_of([&] { read_alarm_settings(again); }), HasSubstr("alarm.second_grader: "));
}

// Alarms that every step of the toy meets, and a grader of half of its responses.
AlarmSettings eager() {
  AlarmSettings settings;
  settings.truncated = settings.one_sided_groups = settings.repeated_wrong = 1e-6;
  settings.entropy_fall = 1;
  settings.second_grader = "last_number";
  settings.second_share = 0.5;
  return settings;
}

TEST(Alarms, ChangeNothingOfATrainingButItsMetrics) {
  ToyRun toy;
  toy.train_in(toy.inputs("quiet"));
  toy.settings.alarms = eager();
  toy.train_in(toy.inputs("loud"));
  auto quiet = bytes_of(toy.inputs("quiet").folder), loud = bytes_of(toy.inputs("loud").folder);
  const auto lines = metrics_of(toy.inputs("loud").folder);
  const auto before = metrics_of(toy.inputs("quiet").folder);
  for (size_t step = 0; step < lines.size(); ++step) {
    EXPECT_TRUE(lines[step].contains("grader_disagreement"));
    for (const auto& [name, value] : before[step].items()) EXPECT_EQ(lines[step].at(name), value) << name;
  }
  for (const char* name : {"metrics.jsonl", "checkpoint/state.json"}) {  // the latter holds the size of the former
    EXPECT_EQ(quiet.erase(name), 1u);
    EXPECT_EQ(loud.erase(name), 1u);
  }
  EXPECT_TRUE(quiet == loud);
}

TEST(Alarms, GoOnAfterAStopWhereTheyStood) {
  ToyRun toy;
  toy.settings.alarms = eager();
  ToyObserver whole, first, second;
  const auto train = [&](const std::string& run, int64_t steps, ToyObserver& observer) {
    toy.settings.steps = steps;
    TrainerInputs in = toy.inputs(run);
    in.observer = &observer;
    toy.train_in(in);
  };
  train("whole", 4, whole);
  train("stopped", 2, first);
  train("stopped", 4, second);
  ASSERT_GE(whole.warnings.size(), 2u);
  first.warnings.insert(first.warnings.end(), second.warnings.begin(), second.warnings.end());
  EXPECT_EQ(first.warnings, whole.warnings);
  EXPECT_EQ(bytes_of(toy.inputs("stopped").folder), bytes_of(toy.inputs("whole").folder));
}

}  // namespace
}  // namespace harness
