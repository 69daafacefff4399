#include "harness/model/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "harness/core/files.h"
#include "harness/core/json.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

// One step in the last place of a float: the reference's own powers differ by as much between instruction sets.
constexpr double kOneUlp = 1.2e-7;

TEST(RopeInverseFrequencies, EqualTheReferenceForEveryScalingRule) {
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(MEDSBENCH_TEST_DATA)) {
    if (!fs::exists(entry.path() / "golden.json")) continue;
    const ModelConfig config = read_model_config(entry.path().string());
    const Json golden = parse_json(read_file((entry.path() / "golden.json").string()));
    const auto expected = golden.at("inverse_frequencies").get<std::vector<double>>();
    const auto found = rope_inverse_frequencies(config, golden.at("inverse_frequencies_length").get<int64_t>());
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], kOneUlp * expected[i]) << entry.path() << " " << i;
    }
    EXPECT_DOUBLE_EQ(rope_attention_factor(config), golden.at("attention_factor").get<double>()) << entry.path();
    ++folders;
  }
  EXPECT_GE(folders, 10);
}

TEST(RopeInverseFrequencies, OfTheDynamicRuleAreThePlainOnesWithinTheTrainedLength) {
  ModelConfig config;
  config.head_dim = 16;
  config.max_positions = 100;
  const auto plain = rope_inverse_frequencies(config, 100);
  config.rope_scaling.type = "dynamic";
  config.rope_scaling.factor = 2;
  EXPECT_EQ(rope_inverse_frequencies(config, 100), plain);
  EXPECT_EQ(rope_inverse_frequencies(config, 1), plain);
  EXPECT_LT(rope_inverse_frequencies(config, 101).back(), plain.back());
}

TEST(RopeInverseFrequencies, OfTheLinearRuleAreDividedByTheFactor) {
  ModelConfig config;
  config.head_dim = 8;
  config.rope_theta = 10000;
  config.rope_scaling.type = "linear";
  config.rope_scaling.factor = 4;
  const auto found = rope_inverse_frequencies(config, 10);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], std::pow(10000.0, -2.0 * i / 8) / 4, 1e-7);  // by hand
}

}  // namespace
}  // namespace harness
