// The worked example of CONTRIBUTING.md is the code compiled here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "baselines/example/sign_advantage.h"
#include "baselines/testing.h"
#include "harness/core/files.h"

namespace baselines {
namespace {

TEST(ContributingExample, IsTheCodeThatIsCompiled) {
  const std::string page = harness::read_file(MEDSBENCH_SOURCE_DIR "/CONTRIBUTING.md");
  for (const std::string file : {"sign_advantage.h", "sign_advantage.cpp"}) {
    const std::string code = harness::read_file(MEDSBENCH_SOURCE_DIR "/baselines/example/" + file);
    EXPECT_THAT(page, ::testing::HasSubstr("```cpp\n" + code + "```\n")) << file;
  }
}

TEST(ContributingExample, WorksOnBothBasesAndBesideAnotherMethod) {
  std::vector<harness::MethodEntry> entries = all_methods();
  entries.push_back(sign_advantage_entry());
  testing::MiniBatch batch = testing::random_batch(1, 2, 4, 5);
  for (size_t i = 0; i < 8; ++i) batch.step.samples[i].correct = i % 2 == 0;
  for (harness::Sample& sample : batch.step.samples) sample.reward = sample.correct ? 1 : 0;
  for (const std::string base : {"grpo", "dapo"}) {
    testing::Arm arm = testing::make_arm({"sign_advantage", "entropy_bonus"}, base, {"method.scale=0.5"}, entries);
    const std::vector<double> advantages = testing::evaluate(arm, batch).group_advantages;
    for (size_t i = 0; i < advantages.size(); ++i) {
      EXPECT_EQ(advantages[i], batch.step.samples[i].correct ? 0.5 : -0.5);
    }
  }
}

}  // namespace
}  // namespace baselines
