// Static steps against Transformer::decode and choose_token: by the bodies on the host, and on a GPU.
#include "harness/rollout/static_decoder.h"

#include <ATen/record_function.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "harness/cuda/device.h"
#include "harness/model/ops/testing.h"
#include "harness/rollout/kernel_generator.h"
#include "harness/rollout/testing.h"

namespace harness {
namespace {

ModelConfig config_of(const std::string& architecture) {
  ModelConfig config = tiny_config(37);
  config.architecture = architecture;
  config.qk_norm = architecture == "qwen3";
  config.qkv_bias = architecture == "qwen2";
  config.tied_head = architecture != "llama";
  config.max_positions = 1024;
  return config;
}

// Weights large enough that probabilities are far from equal, biases too.
std::unique_ptr<Transformer> model_of(const ModelConfig& config, uint64_t seed, Numerics numerics = {}) {
  auto model = std::make_unique<Transformer>(config, numerics);
  model->initialise(seed);
  for (Parameter& parameter : model->parameters()) {
    if (parameter.decay) parameter.value.mul_(6.0);
    if (parameter.name.ends_with("bias")) {
      parameter.value.copy_(torch::sin(torch::arange(parameter.value.numel(), torch::kFloat32)));
    }
  }
  return model;
}

// Names of the operations of LibTorch within `work`.
std::map<std::string, int64_t> operations(const std::function<void()>& work) {
  static std::map<std::string, int64_t> counts;
  static std::mutex lock;
  counts.clear();
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback([](const at::RecordFunction& call) -> std::unique_ptr<at::ObserverContext> {
        const std::lock_guard<std::mutex> guard(lock);
        ++counts[call.name()];
        return nullptr;
      }).scopes({at::RecordScope::FUNCTION}));
  work();
  at::removeCallback(handle);
  return counts;
}

class StaticSteps : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (on_gpu() && cuda::find_devices().count == 0) GTEST_SKIP() << "skipped without a GPU: " << cuda::find_devices().why_none;
  }
  [[nodiscard]] bool on_gpu() const { return std::string(GetParam()) == "cuda"; }
  [[nodiscard]] torch::Device device() const { return on_gpu() ? torch::Device(torch::kCUDA, 0) : torch::Device(torch::kCPU); }
  [[nodiscard]] ops::gpu::Kernels kernels() const {
    return on_gpu() ? *ops::gpu::kernels_for(torch::empty({1}, device())) : ops::gpu::host_kernels();
  }
  [[nodiscard]] std::unique_ptr<Transformer> there(const Transformer& model, bool strict = false) const {
    Numerics numerics = model.numerics();
    numerics.device = device();
    numerics.strict = strict;
    auto copy = std::make_unique<Transformer>(model.config(), numerics);
    copy->copy_from(model);
    return copy;
  }

  void expect_the_same(const Transformer& model, const std::vector<GenerationRequest>& requests,
                       const GeneratorSettings& settings) const {
    const auto expected = generate(model, requests, settings);
    GenerationTotals totals;
    const auto copy = there(model);
    std::vector<std::vector<SampledResponse>> found;
    auto counts = operations([&] { found = generate_by(kernels(), *copy, requests, settings, &totals); });
    EXPECT_GE(totals.steps, settings.sampling.max_new_tokens / 2);
    EXPECT_GT(counts["aten::addmm_"], 0) << "products of Transformer::decode";
    for (size_t r = 0; r < requests.size(); ++r) {
      for (size_t s = 0; s < expected[r].size(); ++s) {
        SCOPED_TRACE(testing::Message() << "request " << r << ", sample " << s);
        expect_close(found[r][s], expected[r][s], settings.readout_from, on_gpu() ? 1e-4 : 1e-5);
      }
    }
  }

 private:
  static void expect_close(const SampledResponse& found, const SampledResponse& expected, int64_t from, double room) {
    ASSERT_EQ(found.ids, expected.ids);
    EXPECT_EQ(found.stopped, expected.stopped);
    ASSERT_EQ(found.readout.size(), expected.readout.size());
    const size_t layers = expected.readout.size() / expected.ids.size();
    for (size_t t = 0; t < expected.ids.size(); ++t) {
      EXPECT_NEAR(found.log_probs[t], expected.log_probs[t], room);
      EXPECT_NEAR(found.entropies[t], expected.entropies[t], room);
      for (size_t l = 0; l < layers; ++l) {
        const float value = expected.readout[t * layers + l];
        // The first token comes from the prompt, where lower layers may be read out on a GPU.
        if (t == 0 && l < static_cast<size_t>(from)) continue;
        EXPECT_NEAR(found.readout[t * layers + l], value, 2 * room * std::max(1.0, std::abs(double{value}))) << t << " " << l;
      }
    }
  }
};

GeneratorSettings settings_of(int64_t max_rows) {
  GeneratorSettings settings;
  settings.sampling.max_new_tokens = 20;
  settings.sampling.temperature = 0.8;
  settings.stop_ids = {0, 5, 9};
  settings.max_rows = max_rows;
  return settings;
}

// Prompts of several lengths, rows that end at different times, slots that take the next row.
TEST_P(StaticSteps, SampleWhatTheDynamicOnesDoWhileRowsComeAndGo) {
  const std::vector<GenerationRequest> requests = {tiny_request(1, 3, 12), tiny_request(2, 21, 9), tiny_request(3, 1, 7)};
  for (const char* architecture : {"qwen3", "qwen2", "llama"}) {
    SCOPED_TRACE(architecture);
    const auto model = model_of(config_of(architecture), 5);
    for (const int64_t max_rows : {1, 5, 28}) {
      SCOPED_TRACE(max_rows);
      expect_the_same(*model, requests, settings_of(max_rows));
    }
  }
}

TEST_P(StaticSteps, RecordTheReadoutOfEveryLayerOrOfThoseFromOne) {
  const auto model = model_of(config_of("qwen3"), 6);
  for (const bool all : {false, true}) {
    for (const int64_t from : {0, 1, 2}) {
      SCOPED_TRACE(testing::Message() << "from " << from << (all ? ", norm on all" : ""));
      GeneratorSettings settings = settings_of(4);
      settings.readout = true;
      settings.readout_from = from;
      settings.lens_norm_all = all;
      expect_the_same(*model, {tiny_request(8, 6, 7)}, settings);
    }
  }
}

TEST_P(StaticSteps, AreGreedyAndReportAtTemperatureOneWhereAsked) {
  const auto model = model_of(config_of("qwen2"), 7);
  GeneratorSettings settings = settings_of(4);
  settings.unit_temperature_log_probs = true;
  expect_the_same(*model, {tiny_request(1, 5, 6)}, settings);
  settings.sampling.greedy = true;
  settings.stop_ids = {};
  expect_the_same(*model, {tiny_request(1, 5, 2), tiny_request(2, 7, 1)}, settings);
}

TEST_P(StaticSteps, HoldWherePromptAndResponseHaveSeveralParts) {
  const auto model = model_of(config_of("llama"), 8);
  GeneratorSettings settings = settings_of(2);
  settings.stop_ids = {};
  settings.sampling.max_new_tokens = 260;
  expect_the_same(*model, {tiny_request(1, 300, 1)}, settings);
}

// What StaticDecoder::step and Transformer::decode find for rows of one prompt.
struct OneStep {
  OneStep(const Transformer& model, torch::Device device, int64_t count)
      : prompt(model.config().layers, {6}, model.heads(), model.numerics().dtype, device, true),
        own(model.config().layers, std::vector<int64_t>(static_cast<size_t>(count), 16), model.heads(), model.numerics().dtype,
            device, true) {
    fill(model);
    for (int64_t r = 0; r < count; ++r) {
      rows.ids.push_back((r * 5 + 3) % model.config().vocab_size);
      rows.positions.push_back(6);
      rows.uniforms.push_back(static_cast<double>(r) / static_cast<double>(count));
      rows.places.push_back({&own, r, 0, &prompt, 0, 6});
    }
  }
  void fill(const Transformer& model) {
    PackedBatch batch;
    batch.add(random_tokens(1, 6, 37));
    model.prefill(batch, {&prompt});
  }
  // log-probs [R] of the tokens found, by Transformer::decode.
  torch::Tensor log_probs(const Transformer& model, const StepResults& found) {
    const torch::Tensor hidden = model.decode(rows.ids, rows.positions, rows.places);
    const auto count = static_cast<int64_t>(rows.ids.size());
    const torch::Tensor all = torch::log_softmax(model.logits(hidden).to(torch::kCPU, torch::kFloat64), -1).slice(0, 0, count);
    const auto tokens = torch::from_blob(const_cast<int64_t*>(found.tokens), {count}, torch::kInt64);
    return all.gather(1, tokens.unsqueeze(1)).squeeze(1);
  }
  static torch::Tensor numbers(const float* values, size_t count) {
    return torch::from_blob(const_cast<float*>(values), {static_cast<int64_t>(count)}, torch::kFloat32).to(torch::kFloat64);
  }

  KvStore prompt, own;
  StepRows rows;
};

StaticDecoderSettings step_settings(int64_t rows) {
  StaticDecoderSettings settings;
  settings.max_rows = rows;
  settings.longest_prefix = 6;
  settings.longest_own = 16;
  return settings;
}

TEST_P(StaticSteps, FollowWeightsThatChangeInPlaceAndThoseThatMove) {
  const torch::NoGradGuard no_grad;
  const auto model = there(*model_of(config_of("qwen2"), 9)), other = there(*model_of(config_of("qwen2"), 10));
  OneStep step(*model, device(), 3);
  StaticDecoder decoder(*model, kernels(), step_settings(3));
  const auto expect_current = [&](const char* when) {
    for (int64_t run = 0; run <= StepRunner::kDirectRuns; ++run) {
      const StepResults found = decoder.step(step.rows);
      const torch::Tensor expected = step.log_probs(*model, found);
      EXPECT_TRUE(torch::allclose(OneStep::numbers(found.log_probs, 3), expected, 0, 1e-5)) << when << ", run " << run;
    }
  };
  expect_current("at first");
  EXPECT_EQ(decoder.runner().recordings(), 1);
  model->copy_from(*other);
  step.fill(*model);
  expect_current("changed in place");
  EXPECT_EQ(decoder.runner().recordings(), 1);
  for (Parameter& parameter : model->parameters()) parameter.value = parameter.value.clone().mul_(1.1);
  step.fill(*model);
  expect_current("moved");
  EXPECT_EQ(decoder.runner().recordings(), 2);
}

// Rows change places between the steps, one ends and one begins.
TEST_P(StaticSteps, MayStartBeforeTheLastHasFinishedAndThenTakeItsTokensOnTheDevice) {
  const auto model = there(*model_of(config_of("qwen2"), 13));
  OneStep first(*model, device(), 5), again(*model, device(), 5);
  StaticDecoder waits(*model, kernels(), step_settings(5)), goes_on(*model, kernels(), step_settings(5));
  const auto next = [](OneStep& step, const int64_t* tokens) {
    StepRows rows;
    for (const int64_t r : {4, 1, 0, 2}) {
      rows.ids.push_back(tokens != nullptr ? tokens[r] : 0);
      rows.sources.push_back(tokens != nullptr ? -1 : r);
      rows.positions.push_back(7);
      rows.uniforms.push_back(0.1 + 0.2 * static_cast<double>(r));
      rows.places.push_back({&step.own, r, 1, &step.prompt, 0, 6});
    }
    rows.ids[3] = 11, rows.sources[3] = -1, rows.positions[3] = 6, rows.places[3].own_position = 0;  // a new row
    return rows;
  };
  const StepResults one = waits.step(first.rows);
  const std::vector<int64_t> tokens(one.tokens, one.tokens + 5);
  const StepResults two = waits.step(next(first, tokens.data()));
  goes_on.start(again.rows);
  goes_on.start(next(again, nullptr));
  EXPECT_ANY_THROW(goes_on.start(again.rows)) << "two are unfinished";
  const StepResults found = goes_on.finish();
  EXPECT_THAT(std::vector<int64_t>(found.tokens, found.tokens + 5), testing::ElementsAreArray(tokens));
  const StepResults last = goes_on.finish();
  EXPECT_ANY_THROW(goes_on.finish());
  for (size_t r = 0; r < 4; ++r) {
    EXPECT_EQ(last.tokens[r], two.tokens[r]);
    EXPECT_EQ(last.log_probs[r], two.log_probs[r]);
    EXPECT_EQ(last.entropies[r], two.entropies[r]);
  }
  StepRows beyond = next(again, nullptr);
  beyond.sources[0] = 4;  // the last step had four rows
  EXPECT_ANY_THROW(goes_on.start(beyond));
}

TEST_P(StaticSteps, CopyInOnceAndOutOnceAndAllocateNothing) {
  const auto model = there(*model_of(config_of("qwen3"), 11));
  OneStep step(*model, device(), 3);
  StaticDecoderSettings settings = step_settings(3);
  settings.readout = true;
  StaticDecoder decoder(*model, kernels(), settings);
  decoder.step(step.rows);
  for (int64_t run = 1; run <= StepRunner::kDirectRuns + 1; ++run) {
    auto counts = operations([&] { decoder.step(step.rows); });
    EXPECT_EQ(counts["aten::copy_"], 2) << "run " << run;
    const bool recording = on_gpu() && run == StepRunner::kDirectRuns;  // LibTorch makes two tensors of its own then
    for (const auto& [name, count] : counts) {
      if (recording) continue;
      EXPECT_THAT(name, testing::Not(testing::AnyOf(testing::StartsWith("aten::empty"), testing::StartsWith("aten::zeros"),
                                                    testing::StartsWith("aten::clone"), testing::StartsWith("aten::_to_copy"),
                                                    testing::StartsWith("aten::new_"))))
          << count << " times in run " << run;
    }
    const bool recorded = on_gpu() && run > StepRunner::kDirectRuns;  // then no operation starts by itself
    EXPECT_EQ(counts["aten::mm"] + counts["aten::addmm_"], recorded ? 0 : 4 * 3 + 1) << "run " << run;
  }
  EXPECT_EQ(decoder.runner().recordings(), 1);
  EXPECT_EQ(decoder.runner().replays(), 2);
}

// Products and norms are rounded in the same places; only the order of their sums differs.
TEST_P(StaticSteps, InBf16AreThoseOfTheDynamicPassUpToItsRounding) {
  Numerics numerics;
  numerics.dtype = torch::kBFloat16;
  for (const char* architecture : {"qwen3", "qwen2", "llama"}) {
    const auto model = there(*model_of(config_of(architecture), 14, numerics));
    OneStep step(*model, device(), 9);
    StaticDecoder decoder(*model, kernels(), step_settings(9));
    const StepResults found = decoder.step(step.rows);
    const torch::Tensor expected = step.log_probs(*model, found), ours = OneStep::numbers(found.log_probs, 9);
    EXPECT_TRUE(torch::allclose(ours, expected, 0, 0.1))
        << architecture << ": " << (ours - expected).abs().max().item<double>();
    EXPECT_LT((ours - expected).abs().mean().item<double>(), 0.03) << architecture;
  }
}

TEST_P(StaticSteps, OfARowDoNotDependOnHowManyThereAreInStrictMode) {
  if (on_gpu()) GTEST_SKIP() << "the products of a GPU depend on how many rows there are";
  Numerics numerics;
  numerics.dtype = torch::kBFloat16;
  const auto model = there(*model_of(config_of("qwen3"), 12, numerics), true);
  OneStep many(*model, device(), 70), few(*model, device(), 3);
  for (size_t r = 0; r < 3; ++r) few.rows.ids[r] = many.rows.ids[r], few.rows.uniforms[r] = many.rows.uniforms[r];
  StaticDecoder wide(*model, kernels(), step_settings(70)), narrow(*model, kernels(), step_settings(3));
  const bool tiles = model->padded(1) > 1;  // LibTorch multiplies: whole tiles of 64 rows
  EXPECT_EQ(wide.bucket(70), tiles ? 128 : 70);
  EXPECT_EQ(narrow.bucket(3), tiles ? 64 : 3);
  const StepResults a = wide.step(many.rows), b = narrow.step(few.rows);
  for (size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(a.tokens[r], b.tokens[r]);
    EXPECT_EQ(a.log_probs[r], b.log_probs[r]);
  }
}

INSTANTIATE_TEST_SUITE_P(Host, StaticSteps, testing::Values("host"));
INSTANTIATE_TEST_SUITE_P(Gpu, StaticSteps, testing::Values("cuda"));

TEST(StaticDecoder, TakesFewShapesAndNeverMoreRowsThanItWasMadeFor) {
  const auto model = model_of(config_of("qwen3"), 1);  // fp32 on the CPU: no strict tile
  const StaticDecoder decoder(*model, ops::gpu::host_kernels(), step_settings(200));
  const std::map<int64_t, int64_t> expected = {{1, 1},   {2, 2},   {3, 4},    {5, 8},     {33, 64},   {64, 64},
                                               {65, 96}, {96, 96}, {97, 128}, {129, 192}, {193, 200}, {200, 200}};
  for (const auto& [rows, bucket] : expected) EXPECT_EQ(decoder.bucket(rows), bucket) << rows;
}

TEST(StaticDecoder, RefusesMoreRowsOrLongerOnesThanItWasMadeFor) {
  const auto model = model_of(config_of("qwen3"), 1);
  OneStep step(*model, torch::kCPU, 3);
  StaticDecoder fewer(*model, ops::gpu::host_kernels(), step_settings(2));
  EXPECT_ANY_THROW(fewer.step(step.rows));
  StaticDecoder decoder(*model, ops::gpu::host_kernels(), step_settings(3));
  decoder.step(step.rows);
  step.rows.positions[0] = 4000;
  EXPECT_ANY_THROW(decoder.step(step.rows));
}

TEST(StepRunner, RecordsAShapeThatComesBackAndForgetsItOnDemand) {
  StepRunner runner(torch::kCPU);
  std::vector<std::string> calls;
  const auto run = [&](StepRunner::Key key, const std::string& name) {
    runner.wait(runner.start([&] { runner.run(key, [&calls, name] { calls.push_back(name); }); }));
  };
  for (const char* name : {"a", "b", "c", "d"}) run({4, 8}, name);
  EXPECT_THAT(calls, testing::ElementsAre("a", "b", "c", "c")) << "a recording is what was recorded";
  run({8, 8}, "other");
  EXPECT_EQ(calls.back(), "other");
  EXPECT_EQ(runner.recordings(), 1);
  EXPECT_EQ(runner.replays(), 2);
  run({8, 8}, "second");
  EXPECT_EQ(calls.back(), "second");
  run({8, 8}, "third");
  EXPECT_EQ(calls.back(), "second") << "later shapes start directly once alone";
  runner.forget();
  run({4, 8}, "e");
  EXPECT_EQ(calls.back(), "e");
}

}  // namespace
}  // namespace harness
