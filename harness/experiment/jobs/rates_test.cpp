#include "harness/experiment/jobs/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace harness {
namespace {

using testing::HasSubstr;
using testing::Not;

const Seconds kSeconds = {{"rollout", 2}, {"decode", 1}, {"update", 4}, {"step", 7}};
const Work kWork = {{"rollout", {30000, 8e12, 0}}, {"decode", {20000, 6e12, 1.2e12}}, {"update", {30000, 24e12, 0}}};

TEST(Rates, AreWorkBySeconds) {
  const OrderedJson json = rates_json(kSeconds, kWork, std::nullopt);
  EXPECT_EQ(json["work"]["update"]["flops"], 24e12);
  EXPECT_EQ(json["rates"]["update"]["tokens_per_second"], 7500);
  EXPECT_EQ(json["rates"]["decode"]["bytes_per_second"], 1.2e12);
  EXPECT_FALSE(json["rates"]["decode"].contains("bandwidth_share"));
  EXPECT_FALSE(json["rates"].contains("step"));
  EXPECT_EQ(
      rates_line(parse_json(json.dump())),
      "rollout 15.0k tokens/s (4.0 TFLOP/s), decoding alone 20.0k tokens/s (6.0 TFLOP/s), update 7500 tokens/s (6.0 TFLOP/s)");
}

TEST(Rates, OfAKnownDeviceAreSharesOfItsPeakToo) {
  Numerics numerics;
  numerics.dtype = torch::kBFloat16;
  numerics.device = torch::Device(torch::kCUDA, 0);
  const auto peak = rate_peak("NVIDIA H100 80GB HBM3", numerics, 2);
  ASSERT_TRUE(peak);
  EXPECT_DOUBLE_EQ(peak->flops, 2 * 989.4e12);
  const OrderedJson json = rates_json(kSeconds, kWork, peak);
  EXPECT_DOUBLE_EQ(json["rates"]["update"]["flop_utilisation"].get<double>(), 6e12 / (2 * 989.4e12));
  EXPECT_DOUBLE_EQ(json["rates"]["decode"]["bandwidth_share"].get<double>(), 1.2 / 6.7);
  const std::string line = rates_line(parse_json(json.dump()));
  EXPECT_THAT(line, HasSubstr("update 7500 tokens/s (6.0 TFLOP/s, 0.3 % of the peak)"));
  EXPECT_THAT(line, HasSubstr("17.9 % of the memory bandwidth"));
}

TEST(Rates, OfAnUnknownDeviceAndOfTheCpuAreNoShares) {
  Numerics numerics;
  EXPECT_FALSE(rate_peak("NVIDIA H100 80GB HBM3", numerics, 1));
  numerics.device = torch::Device(torch::kCUDA, 0);
  EXPECT_FALSE(rate_peak("NVIDIA H1000", numerics, 1));
  EXPECT_EQ(rates_line(parse_json("{\"version\":1}")), "");
}

}  // namespace
}  // namespace harness
