#include "harness/train/step/timing.h"

#include <gtest/gtest.h>

namespace harness {
namespace {

TEST(StepTiming, WindowsAreTensThenHundredsThenThousands) {
  for (const auto& [step, end] : {std::pair<int64_t, int64_t>{1, 10},
                                  {10, 10},
                                  {11, 20},
                                  {100, 100},
                                  {101, 200},
                                  {999, 1000},
                                  {1000, 1000},
                                  {1001, 2000}}) {
    EXPECT_EQ(window_end(step), end) << step;
  }
}

TEST(StepTiming, AddsUpItsPartsByWindowAndAsAWhole) {
  StepTiming timing;
  for (int64_t step = 6; step <= 12; ++step) timing.add(step, {{"step", 2.0}, {"readout", 0.25}});
  EXPECT_EQ(timing.total(), (Seconds{{"readout", 1.75}, {"step", 14}}));
  ASSERT_EQ(timing.windows().size(), 2U);
  EXPECT_EQ(timing.windows()[0].first, 6);
  EXPECT_EQ(timing.windows()[0].last, 10);
  EXPECT_EQ(timing.windows()[0].seconds, (Seconds{{"readout", 1.25}, {"step", 10}}));
  EXPECT_EQ(timing.windows()[1].last, 12);
}

TEST(StepTiming, AddsUpWhatWasDone) {
  StepTiming timing;
  timing.add(1, {}, {{"update", {100, 2e9, 0}}, {"decode", {50, 1e9, 4e6}}});
  timing.add(2, {}, {{"update", {60, 1e9, 0}}});
  EXPECT_EQ(timing.total_work().at("update").tokens, 160);
  EXPECT_EQ(timing.total_work().at("update").flops, 3e9);
  EXPECT_EQ(timing.total_work().at("decode").bytes, 4e6);
}

TEST(StepTiming, WhatMethodsAddIsAShareOfTheStepWithoutIt) {
  EXPECT_DOUBLE_EQ(method_share({{"step", 101}, {"rollout", 40}, {"readout", 0.5}, {"shape", 0.25}, {"state", 0.25}}), 0.01);
  EXPECT_EQ(method_share({}), 0);
}

}  // namespace
}  // namespace harness
