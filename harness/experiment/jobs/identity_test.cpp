#include "harness/experiment/jobs/identity.h"

#include <gtest/gtest.h>

namespace harness {
namespace {

// Of a training with these keys.
std::string identity_of(const std::vector<std::string>& assignments) {
  Config config;
  for (const std::string& assignment : assignments) config.set(assignment);
  return job_identity(config.entries(), "train");
}

TEST(JobIdentity, FollowsFromKeysThatChangeResults) {
  EXPECT_NE(identity_of({"train.steps=3"}), identity_of({"train.steps=4"}));
  EXPECT_NE(identity_of({"train.steps=3"}), identity_of({"train.steps=3", "loss.clip_low=0.1"}));
  for (const char* key :
       {"model.folder=\"a\"", "data.dir=\"b\"", "checkpoint.every=2", "eval.checkpoints=[1, 2]", "method.threads=2"}) {
    EXPECT_EQ(identity_of({"train.steps=3"}), identity_of({"train.steps=3", key})) << key;
  }
}

TEST(JobIdentity, DoesNotHoldTheAlarms) {
  EXPECT_EQ(identity_of({"train.steps=3", "alarm.truncated=0.2", "alarm.second_grader=\"math\""}),
            identity_of({"train.steps=3"}));
  EXPECT_NE(identity_of({"train.collapse_entropy=0.1"}), identity_of({"train.collapse_entropy=0.2"}));  // as in 0.1.0
}

TEST(JobIdentity, LeavesOutOnlyTheVeryKeys) {
  EXPECT_NE(identity_of({}), identity_of({"data.directory=\"b\""}));
  Config more;
  more.set("eval.n=8");
  more.set("eval.nucleus=8");
  Config other = more;
  other.set("eval.n=16");
  EXPECT_EQ(eval_identity(more.entries()), eval_identity(other.entries()));
  other.set("eval.nucleus=9");
  EXPECT_NE(eval_identity(more.entries()), eval_identity(other.entries()));
}

TEST(JobIdentity, HoldsThreadsAndRowsAtOnceWhereResultsMayFollowFromThem) {
  for (const std::string key : {"numerics.threads", "rollout.max_rows"}) {
    EXPECT_EQ(identity_of({"numerics.strict=true", key + "=1"}), identity_of({"numerics.strict=true", key + "=2"})) << key;
    EXPECT_NE(identity_of({"numerics.strict=false", key + "=1"}), identity_of({"numerics.strict=false", key + "=2"})) << key;
  }
}

TEST(JobIdentity, HoldsTheFieldsOfAFileWhereTheyAreNamed) {
  for (const std::string key : {"data.problem_field", "data.answer_field"}) {
    EXPECT_EQ(identity_of({key + "=\"\""}), identity_of({})) << key;  // a configuration from before the key
    EXPECT_NE(identity_of({key + "=\"prompt\""}), identity_of({})) << key;
  }
}

TEST(JobIdentity, HoldsTheKeysOfMedsThatAreNewerThanFinishedRunsOffTheirDefaults) {
  EXPECT_EQ(identity_of({"method.min_cluster_share=0.0", "method.radius=0.05"}), identity_of({}));
  EXPECT_NE(identity_of({"method.min_cluster_share=0.1"}), identity_of({}));
  EXPECT_NE(identity_of({"method.radius=0.2"}), identity_of({}));
}

TEST(JobIdentity, HoldsTheNumberOfProcessesWhereThereAreSeveral) {
  EXPECT_EQ(identity_of({"train.processes=1"}), identity_of({}));  // a configuration from before the key
  EXPECT_NE(identity_of({"train.processes=2"}), identity_of({"train.processes=1"}));
  EXPECT_NE(identity_of({"train.processes=4"}), identity_of({"train.processes=2"}));
}

TEST(JobIdentity, HoldsSharedGradientsAndNotSharedOptimizersWhichTrainToTheSameBytes) {
  const auto shared = [](const std::string& shard) { return identity_of({"train.processes=2", "train.shard=" + shard}); };
  EXPECT_EQ(shared("none"), identity_of({"train.processes=2"}));
  EXPECT_EQ(shared("optimizer"), shared("none"));
  EXPECT_NE(shared("gradients"), shared("none"));
  EXPECT_EQ(shared("parameters"), shared("gradients"));
}

TEST(JobIdentity, HoldsAnOffloadedOptimizerOnAGpuWhereItRoundsOtherwise) {
  const auto offloaded = [](const std::string& device, const std::string& offload) {
    return identity_of(
        {"numerics.device=" + device, "train.offload_optimizer=" + offload, "train.offload_reference=" + offload});
  };
  EXPECT_EQ(offloaded("cpu", "true"), offloaded("cpu", "false"));
  EXPECT_NE(offloaded("cuda", "true"), offloaded("cuda", "false"));
}

}  // namespace
}  // namespace harness
