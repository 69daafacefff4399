#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/cli/every_method.h"
#include "harness/core/testing.h"
#include "harness/experiment/jobs/settings.h"

namespace experiments {
namespace {

using harness::Config;
using testing::HasSubstr;

TEST(TrainJobs, OffloadNothingOnTheCpuWhereItLiesAlready) {
  for (const std::string device : {"cpu", "cuda"}) {
    const Config config = Config::from_toml_text("[model]\nfolder = \"none\"\n[numerics]\ndevice = \"" + device +
                                                     "\"\n[train]\noffload_optimizer = true\noffload_reference = true\n",
                                                 "test");
    harness::ConfigReader keys(config);
    const harness::TrainJob job = harness::read_train_job(keys, this_program());
    EXPECT_EQ(job.settings.optimizer.offload, device == "cuda");
    EXPECT_EQ(job.settings.offload_reference, device == "cuda");
  }
}

TEST(TrainJobs, RefuseSharedStatesOfOneProcess) {
  const Config config = Config::from_toml_text("[model]\nfolder = \"none\"\n[train]\nshard = \"gradients\"\n", "test");
  harness::ConfigReader keys(config);
  EXPECT_THAT(harness::error_of([&] { harness::read_train_job(keys, this_program()); }),
              HasSubstr("train.shard = \"gradients\": expected train.processes > 1 beside it, found 1"));
}

}  // namespace
}  // namespace experiments
