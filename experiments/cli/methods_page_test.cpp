#include "experiments/cli/methods_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/cli/every_method.h"
#include "harness/core/files.h"

namespace experiments {
namespace {

TEST(MethodsPage, UnderResultsIsWhatTheProgramPrints) {
  EXPECT_EQ(harness::read_file(MEDSBENCH_SOURCE_DIR "/results/methods.md"), methods_markdown(every_method()));
}

TEST(MethodsPage, NamesEveryPublishedMethodWithItsKeys) {
  const std::string text = methods_text(every_method());
  for (const char* name : {"grpo",
                           "dapo",
                           "dr_grpo",
                           "clip_higher",
                           "entropy_bonus",
                           "adaptive_entropy",
                           "entropy_advantage",
                           "clip_cov",
                           "kl_cov",
                           "top_entropy",
                           "nsr",
                           "psr",
                           "w_reinforce",
                           "pass_k_training",
                           "pkpo",
                           "unlikeliness",
                           "uniqueness",
                           "outcome_exploration",
                           "maxrl",
                           "gspo",
                           "cispo",
                           "meds"}) {
    EXPECT_THAT("\n" + text, ::testing::HasSubstr("\n" + std::string(name) + " ")) << name;
  }
  for (const char* key : {"method.target = 0.2", "method.kappa = 2", "method.fraction = 0.002", "method.lambda = 0.1",
                          "method.constant = 0.5", "method.high = 5", "method.alpha = 0.1"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(key));
  }
}

}  // namespace
}  // namespace experiments
