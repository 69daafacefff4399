#include "harness/plan/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace harness {
namespace {

std::string source_file(const std::string& path) { return std::string(MEDSBENCH_SOURCE_DIR) + "/" + path; }

TEST(MemoryPlan, CountsTheParametersOfThePapersModels) {
  const std::map<std::string, double> known = {
      {"qwen3-1.7b", 1'720'574'976}, {"qwen2.5-math-7b", 7'615'616'512}, {"qwen3-8b", 8'190'735'360}};
  for (const auto& [name, count] : known) {
    EXPECT_EQ(parameter_count(read_model_config(source_file("experiments/paper/shapes/" + name))), count) << name;
  }
}

TEST(MemoryPlan, AddsUpToWhatIsWorkedByHandForAStepOfAdamW) {
  MemorySettings s;
  s.shape = read_model_config(source_file("experiments/paper/shapes/qwen3-1.7b"));
  s.bf16 = s.cuda = true;
  s.reference = true;
  const double p = 1'720'574'976;
  const MemoryPlan plan = plan_memory(s);
  const MemoryPhase& optimiser = plan.phases.back();
  // Weights, masters, two moments, gradients, reference; a copy of the embedding's gradient in double.
  EXPECT_DOUBLE_EQ(optimiser.bytes(), p * (2 + 4 + 8 + 4 + 2) + 8.0 * 151936 * 2048);
  EXPECT_GT(plan.peak().bytes(), optimiser.bytes());
  s.recompute = true;
  EXPECT_LT(plan_memory(s).peak().bytes(), plan.peak().bytes());
}

TEST(MemoryPlan, PutsWhatIsOffloadedBesideTheDevice) {
  MemorySettings s;
  s.shape = read_model_config(source_file("experiments/paper/shapes/qwen3-1.7b"));
  s.bf16 = s.cuda = s.reference = true;
  const double p = 1'720'574'976, largest = 151936.0 * 2048;
  const double before = plan_memory(s).host_bytes;
  s.offload_optimizer = s.offload_reference = true;
  const MemoryPlan plan = plan_memory(s);
  // Weights and gradients; masters and moments have gone, and the reference is there for scoring alone.
  EXPECT_DOUBLE_EQ(plan.phases.back().bytes(), p * (2 + 4) + 8 * largest);
  // The host held masters and moments of a checkpoint before, too: the reference, and room for a piece of a gradient and of a
  // parameter.
  EXPECT_NEAR(plan.host_bytes - before, 2 * p + (4 + 2) * double{1 << 26}, 1);
  const auto scoring =
      std::find_if(plan.phases.begin(), plan.phases.end(), [](const auto& phase) { return phase.name == "scoring"; });
  ASSERT_NE(scoring, plan.phases.end());
  EXPECT_GT(scoring->bytes(), p * (2 + 4 + 2));
  // Of eight processes each scores an eighth of the responses.
  s.processes = 8;
  const MemoryPlan eighth = plan_memory(s);
  const auto share =
      std::find_if(eighth.phases.begin(), eighth.phases.end(), [](const auto& phase) { return phase.name == "scoring"; });
  EXPECT_NEAR(share->parts.back().bytes, scoring->parts.back().bytes / 8, scoring->parts.back().bytes / 1000);
  // With shared parameters the share that the layers are gathered from stays on the device; nothing else but gradients does.
  s.shared_optimizer = s.shared_gradients = s.shared_parameters = true;
  s.reference = s.offload_reference = false;
  EXPECT_DOUBLE_EQ(plan_memory(s).phases.back().bytes(), p * (2 + 4) / 8 + 8 * largest / 8);
}

TEST(MemoryPlan, GivesEachProcessItsShareAsWorkedByHand) {
  MemorySettings s;
  s.shape = read_model_config(source_file("experiments/paper/shapes/qwen3-8b"));  // its head is its own
  s.bf16 = s.cuda = s.reference = s.recompute = true;
  s.micro_batch = 8;
  s.processes = 8;
  s.rows = 32;
  const double p = 8'190'735'360, head = 151936.0 * 4096;
  const double norm = 8 * head;
  std::vector<double> optimiser, peak;
  for (int shared = 0; shared < 4; ++shared) {
    s.shared_optimizer = shared > 0;
    s.shared_gradients = shared > 1;
    s.shared_parameters = shared > 2;
    const MemoryPlan plan = plan_memory(s);
    optimiser.push_back(plan.phases.back().bytes());
    peak.push_back(plan.peak().bytes());
  }
  EXPECT_DOUBLE_EQ(optimiser[0], p * (2 + 4 + 8 + 4 + 2) + norm);
  EXPECT_DOUBLE_EQ(optimiser[1], p * (2 + 12 / 8.0 + 4 + 2) + norm);
  EXPECT_DOUBLE_EQ(optimiser[2], p * (2 + 16 / 8.0 + 2) + norm / 8);
  EXPECT_DOUBLE_EQ(optimiser[3], p * (16 + 2) / 8 + norm / 8);
  EXPECT_TRUE(std::is_sorted(peak.rbegin(), peak.rend()));
  EXPECT_LT(peak[3], peak[0] / 2);
}

}  // namespace
}  // namespace harness
