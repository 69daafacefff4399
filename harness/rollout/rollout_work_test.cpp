#include "harness/rollout/rollout_work.h"

#include <gtest/gtest.h>

#include "harness/rollout/testing.h"

namespace harness {
namespace {

TEST(RolloutWork, IsWorkedByHandForTwoResponses) {
  const Transformer model = tiny_model(1);
  std::vector<SampledResponse> responses(2);
  responses[0].ids = {5, 6, 7};
  responses[1].ids = {8};  // its one token is drawn from the prompt
  const RolloutWork work = rollout_work(model, 4, responses);
  EXPECT_EQ(work.decoded.tokens, 2);       // 5 and 6
  EXPECT_EQ(work.decoded.context, 5 + 6);  // the prompt, and each itself and what stands before it
  EXPECT_EQ(work.decoded.logits, 2);
  EXPECT_EQ(work.all.tokens, 4 + 2);
  EXPECT_EQ(work.all.context, 1 + 2 + 3 + 4 + 5 + 6);
  EXPECT_EQ(work.all.logits, 4);
  // Two steps: own positions 1 and 2, the prompt's 4 each time; 3 layers, 2 key-value heads of 6, keys and values in fp32.
  EXPECT_EQ(work.kv_bytes, (1 + 2 + 2 * 4) * 3 * 2 * 6 * 2 * 4.0);
}

TEST(RolloutWork, OfManyRowsCountsTheTokensThatTheGeneratorFed) {
  const Transformer model = tiny_model(1);
  GeneratorSettings settings;
  settings.sampling.max_new_tokens = 7;
  settings.stop_ids = {0};
  GenerationTotals totals;
  const auto responses = generate(model, {tiny_request(3, 5, 9)}, settings, &totals)[0];
  const RolloutWork work = rollout_work(model, 5, responses);
  EXPECT_EQ(work.decoded.tokens, static_cast<double>(totals.tokens));
  EXPECT_EQ(work.all.tokens - work.decoded.tokens, static_cast<double>(totals.prompt_tokens));
}

}  // namespace
}  // namespace harness
