#include "experiments/cli/cell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"

namespace experiments {
namespace {

using harness::Config;
using testing::HasSubstr;

TEST(CellIdentity, HoldsTheNumberOfProcessesWhereThereAreSeveral) {
  const auto identity = [](int64_t processes) {
    Config config;
    if (processes > 0) config.integer("train.processes", processes);
    config.integer("train.steps", 3);
    return cell_identity(config, "train");
  };
  EXPECT_EQ(identity(1), identity(0));  // 0: a configuration from before the key
  EXPECT_NE(identity(2), identity(1));
  EXPECT_NE(identity(4), identity(2));
}

TEST(CellIdentity, HoldsSharedGradientsAndNotSharedOptimizersWhichTrainToTheSameBytes) {
  const auto identity = [](const std::string& shard) {
    Config config;
    config.integer("train.processes", 2);
    if (!shard.empty()) config.text("train.shard", shard, {"none", "optimizer", "gradients", "parameters"});
    return cell_identity(config, "train");
  };
  EXPECT_EQ(identity("none"), identity(""));
  EXPECT_EQ(identity("optimizer"), identity("none"));
  EXPECT_NE(identity("gradients"), identity("none"));
  EXPECT_EQ(identity("parameters"), identity("gradients"));
}

TEST(CellIdentity, HoldsAnOffloadedOptimizerOnAGpuWhereItRoundsOtherwise) {
  const auto identity = [](const std::string& device, bool offload) {
    Config config;
    config.text("numerics.device", device);
    config.boolean("train.offload_optimizer", offload);
    config.boolean("train.offload_reference", offload);
    return cell_identity(config, "train");
  };
  EXPECT_EQ(identity("cpu", true), identity("cpu", false));
  EXPECT_NE(identity("cuda", true), identity("cuda", false));
}

TEST(TrainCells, OffloadNothingOnTheCpuWhereItLiesAlready) {
  for (const std::string device : {"cpu", "cuda"}) {
    Config config = Config::from_toml_text("[model]\nfolder = \"none\"\n[numerics]\ndevice = \"" + device +
                                               "\"\n[train]\noffload_optimizer = true\noffload_reference = true\n",
                                           "test");
    const TrainCell cell = read_train_cell(config);
    EXPECT_EQ(cell.settings.optimizer.offload, device == "cuda");
    EXPECT_EQ(cell.settings.offload_reference, device == "cuda");
  }
}

TEST(TrainCells, RefuseSharedStatesOfOneProcess) {
  Config config = Config::from_toml_text("[model]\nfolder = \"none\"\n[train]\nshard = \"gradients\"\n", "test");
  try {
    read_train_cell(config);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const harness::Error& error) {
    EXPECT_THAT(std::string(error.what()),
                HasSubstr("train.shard = \"gradients\": expected train.processes > 1 beside it, found 1"));
  }
}

}  // namespace
}  // namespace experiments
