#include "harness/rollout/generator.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/ops/ops.h"
#include "harness/rollout/layer_readout.h"
#include "harness/rollout/testing.h"

namespace harness {
namespace {

GeneratorSettings tiny_settings() {
  GeneratorSettings settings;
  settings.sampling.max_new_tokens = 20;
  settings.stop_ids = {0, 5, 9};
  settings.readout = true;
  return settings;
}

TEST(Generator, SamplesAsAnIndependentInvertedCumulativeSumDoes) {
  const Transformer model = tiny_model(1);
  GeneratorSettings settings = tiny_settings();
  settings.sampling.temperature = 0.8;
  const GenerationRequest request = tiny_request(3, 9, 6);
  const auto responses = generate(model, {request}, settings)[0];
  for (size_t s = 0; s < responses.size(); ++s) {
    std::vector<int64_t> ids = request.prompt;
    for (int64_t t = 0; t < responses[s].tokens(); ++t) {
      const torch::Tensor log_probs = torch::log_softmax(plain_logits(model, ids) / 0.8, -1);
      const double u = request.streams[s].uniform(static_cast<uint64_t>(t));
      double sum = 0;
      int64_t token = 0;
      while (token < 36 && (sum += std::exp(log_probs[token].item<double>())) <= u) ++token;
      const auto at = static_cast<size_t>(t);
      ASSERT_EQ(responses[s].ids[at], token) << "sample " << s << " token " << t;
      EXPECT_NEAR(responses[s].log_probs[at], log_probs[token].item<double>(), 1e-5);
      EXPECT_NEAR(responses[s].entropies[at], -(log_probs.exp() * log_probs).sum().item<double>(), 1e-5);
      ids.push_back(token);
    }
  }
}

TEST(Generator, ReportsLogProbsAtTemperatureOneWhenAsked) {
  const Transformer model = tiny_model(1);
  GeneratorSettings settings = tiny_settings();
  settings.sampling.temperature = 0.5;
  settings.unit_temperature_log_probs = true;
  const GenerationRequest request = tiny_request(3, 9, 2);
  const SampledResponse response = generate(model, {request}, settings)[0][1];
  std::vector<int64_t> ids = request.prompt;
  for (size_t t = 0; t < response.ids.size(); ++t) {
    const torch::Tensor log_probs = torch::log_softmax(plain_logits(model, ids), -1);
    EXPECT_NEAR(response.log_probs[t], log_probs[response.ids[t]].item<double>(), 1e-5);
    ids.push_back(response.ids[t]);
  }
}

TEST(Generator, GreedyTakesTheLargestLogitWhateverTheStream) {
  const Transformer model = tiny_model(2);
  GeneratorSettings settings = tiny_settings();
  settings.stop_ids = {};
  settings.sampling.greedy = true;
  const GenerationRequest request = tiny_request(4, 7, 2);
  const auto responses = generate(model, {request}, settings)[0];
  EXPECT_EQ(responses[0].ids, responses[1].ids);
  std::vector<int64_t> ids = request.prompt;
  for (const int64_t token : responses[0].ids) {
    EXPECT_EQ(token, plain_logits(model, ids).argmax().item<int64_t>());
    ids.push_back(token);
  }
  EXPECT_EQ(responses[0].tokens(), 20);
  EXPECT_FALSE(responses[0].stopped);
}

TEST(Generator, AStopTokenEndsAResponseAndIsPartOfIt) {
  const Transformer model = tiny_model(1);
  const auto responses = generate(model, {tiny_request(3, 9, 40)}, tiny_settings())[0];
  int64_t stopped = 0;
  for (const SampledResponse& response : responses) {
    for (size_t t = 0; t + 1 < response.ids.size(); ++t) EXPECT_THAT(response.ids[t], testing::Not(testing::AnyOf(0, 5, 9)));
    if (response.stopped) {
      EXPECT_THAT(response.ids.back(), testing::AnyOf(0, 5, 9));
      ++stopped;
    } else {
      EXPECT_EQ(response.tokens(), 20);
    }
    EXPECT_EQ(response.log_probs.size(), response.ids.size());
    EXPECT_EQ(response.readout.size(), 3 * response.ids.size());
  }
  EXPECT_GT(stopped, 0);
}

class StrictGenerator : public testing::TestWithParam<torch::Dtype> {};

TEST_P(StrictGenerator, AResponseDoesNotDependOnRowsNeighboursOrNumberOfSamples) {
  const Transformer model = tiny_model(5, GetParam());
  GeneratorSettings settings = tiny_settings();
  settings.max_rows = 256;
  const std::vector<GenerationRequest> requests = {tiny_request(1, 3, 10), tiny_request(2, 21, 33), tiny_request(3, 1, 40)};
  const auto expected = generate(model, requests, settings);
  for (const int64_t rows : {1, 3, 17, 64}) {
    settings.max_rows = rows;
    const auto again = generate(model, requests, settings);
    for (size_t r = 0; r < requests.size(); ++r) {
      for (size_t s = 0; s < again[r].size(); ++s) EXPECT_TRUE(same_bytes(again[r][s], expected[r][s])) << rows << " rows";
    }
  }
  settings.max_rows = 256;
  const auto alone = generate(model, {tiny_request(2, 21, 4, 7)}, settings)[0];
  for (size_t s = 0; s < alone.size(); ++s) EXPECT_TRUE(same_bytes(alone[s], expected[1][s + 7])) << "alone";
}

TEST_P(StrictGenerator, AResponseDoesNotDependOnThreads) {
  const Transformer model = tiny_model(5, GetParam());
  GeneratorSettings settings = tiny_settings();
  settings.sampling.max_new_tokens = 5;
  const GenerationRequest request = tiny_request(2, 21, 70);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = generate(model, {request}, settings)[0];
  at::set_num_threads(2);
  const auto two = generate(model, {request}, settings)[0];
  at::set_num_threads(threads);
  for (size_t s = 0; s < one.size(); ++s) EXPECT_TRUE(same_bytes(one[s], two[s]));
}

INSTANTIATE_TEST_SUITE_P(Dtypes, StrictGenerator, testing::Values(torch::kFloat32, torch::kBFloat16),
                         [](const auto& info) { return info.param == torch::kFloat32 ? "fp32" : "bf16"; });

TEST(Generator, FinishedRowsMakeRoomForWaitingOnes) {
  const Transformer model = tiny_model(1);
  GeneratorSettings settings = tiny_settings();
  settings.max_rows = 4;
  GenerationTotals totals;
  int64_t reported = 0;
  const auto responses = generate(model, {tiny_request(1, 5, 50), tiny_request(2, 4, 50)}, settings, &totals,
                                  [&](int64_t finished) { reported = finished; });
  int64_t tokens = 0;
  for (const auto& group : responses) {
    for (const SampledResponse& response : group) tokens += response.tokens();
  }
  EXPECT_EQ(reported, 100);
  EXPECT_EQ(totals.prompt_tokens, 9);
  // The first token of each response comes from its prompt; four rows are busy until the last ones wait for nobody.
  EXPECT_EQ(totals.tokens, tokens - 100);
  EXPECT_LE(totals.steps, tokens / 4 + 20);
  EXPECT_LT(totals.steps, 100 / 4 * 20);
}

// value_l = <W_lm[t], h_l>, from a forward pass over everything before the token.
TEST(Generator, TheReadoutEqualsThatOfAFullForward) {
  const Transformer model = tiny_model(6);
  for (const bool all : {false, true}) {
    GeneratorSettings settings = tiny_settings();
    settings.lens_norm_all = all;
    const GenerationRequest request = tiny_request(8, 6, 3);
    const auto responses = generate(model, {request}, settings)[0];
    for (const SampledResponse& response : responses) {
      PackedBatch batch;
      std::vector<int64_t> ids = request.prompt;
      ids.insert(ids.end(), response.ids.begin(), response.ids.end());
      batch.add(ids);
      std::vector<torch::Tensor> layers;
      model.forward(batch, nullptr, false, &layers);
      for (size_t t = 0; t < response.ids.size(); ++t) {
        for (size_t l = 0; l < 3; ++l) {
          torch::Tensor hidden = layers[l];
          if (all && l < 2) hidden = ops::rms_norm(hidden, model.final_norm(), model.config().norm_eps);
          const double value =
              hidden[static_cast<int64_t>(request.prompt.size() + t) - 1].dot(model.head()[response.ids[t]]).item<double>();
          EXPECT_NEAR(response.readout[t * 3 + l], value, 1e-5 * std::max(1.0, std::abs(value)));
        }
      }
    }
  }
}

TEST_P(StrictGenerator, TheReadoutOfAGivenResponseIsWhatSamplingItRecorded) {
  const Transformer model = tiny_model(6, GetParam());
  for (const bool all : {false, true}) {
    GeneratorSettings settings = tiny_settings();
    settings.lens_norm_all = all;
    const GenerationRequest request = tiny_request(8, 6, 5);
    const auto responses = generate(model, {request}, settings)[0];
    for (const SampledResponse& response : responses) {
      EXPECT_EQ(layer_readout(model, request.prompt, response.ids, all), response.readout);
    }
  }
}

TEST(LayerReadout, OfAResponseWithoutAPromptHasNothingBeforeTheFirstToken) {
  const Transformer model = tiny_model(6);
  const std::vector<int64_t> response = {4, 8, 15};
  std::vector<float> expected = layer_readout(model, {4}, {8, 15}, false);
  expected.insert(expected.begin(), 3, 0.0f);
  EXPECT_EQ(layer_readout(model, {}, response, false), expected);
  EXPECT_EQ(layer_readout(model, {}, {4}, false), (std::vector<float>{0, 0, 0}));
  EXPECT_TRUE(layer_readout(model, {4}, {}, false).empty());
}

class GoldenReadout : public testing::TestWithParam<std::string> {};

TEST_P(GoldenReadout, EqualsTransformers) {
  const std::string folder = std::string(MEDSBENCH_SOURCE_DIR) + "/harness/model/testdata/" + GetParam();
  const auto model = Transformer::load(folder, {});
  const auto layers = static_cast<size_t>(model->config().layers);
  const Json golden = parse_json(read_file(folder + "/golden.json"));
  const Json& sequence = golden["sequences"][0];
  const auto ids = sequence["ids"].get<std::vector<int64_t>>();
  for (const char* kind : {"last", "all"}) {
    const auto expected = sequence[std::string("readout_") + kind].get<std::vector<std::vector<float>>>();
    const auto found = layer_readout(*model, {ids.front()}, {ids.begin() + 1, ids.end()}, kind == std::string("all"));
    ASSERT_EQ(found.size(), (ids.size() - 1) * layers);
    for (size_t t = 0; t + 1 < ids.size(); ++t) {
      for (size_t l = 0; l < layers; ++l)
        EXPECT_NEAR(found[t * layers + l], expected[t][l], 1e-4) << kind << " " << t << " " << l;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, GoldenReadout, testing::Values("tiny-llama", "tiny-qwen2", "tiny-qwen3", "tiny-qwen3-untied"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Generator, RefusesAnEmptyPromptAndOneWithoutRoom) {
  const Transformer model = tiny_model(1);
  EXPECT_THROW(generate(model, {{{}, {RandomStream("x", {1})}}}, tiny_settings()), Error);
  const std::string error = error_of([&] { generate(model, {tiny_request(1, 109, 1)}, tiny_settings()); });
  EXPECT_THAT(error, testing::HasSubstr("128 positions"));
  EXPECT_THAT(error, testing::HasSubstr("109 + 20"));
  EXPECT_EQ(generate(model, {tiny_request(1, 108, 1)}, tiny_settings())[0].size(), 1u);
}

}  // namespace
}  // namespace harness
