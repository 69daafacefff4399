#include "harness/train/step/update.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/train/testing.h"

namespace harness {
namespace {

TEST(ScoreRows, EqualsWhatWasRecordedWhileSamplingBitForBit) {
  for (const double temperature : {1.0, 0.7}) {
    ToyRun toy;
    toy.settings.sampling.temperature = temperature;
    const ToyRows rows(toy, {5, 5, 5});
    const auto policy = toy.policy();
    for (const int64_t micro_batch : {0, 1, 4}) {
      toy.settings.micro_batch_responses = micro_batch;
      const RowStatistics now = score_rows(*policy, {rows.rows, toy.settings});
      for (size_t b = 0; b < rows.rows.size(); ++b) {
        EXPECT_EQ(now.log_probs[b], rows.rows[b].response->log_probs) << "row " << b;
        EXPECT_EQ(now.entropies[b], rows.rows[b].response->entropies) << "row " << b;
      }
    }
  }
}

std::vector<torch::Tensor> gradients(const ToyRun& toy, const ToyRows& rows, Metrics* metrics = nullptr) {
  const auto policy = toy.policy();
  OptimizerSettings still;
  still.lr = 0;
  still.clip_norm = 0;
  Optimizer optimizer(*policy, still);
  MethodStack methods;
  const Metrics found = update_mini_batch(*policy, optimizer, methods, {rows.rows, toy.settings}).value();
  if (metrics != nullptr) *metrics = found;
  return gradients_of(*policy);
}

TEST(Update, MicroBatchesOfAnySizeGiveTheGradientsOfTheWhole) {
  for (const auto aggregation : {Aggregation::token_mean, Aggregation::seq_mean_token_mean}) {
    ToyRun toy;
    toy.settings.loss.aggregation = aggregation;
    const ToyRows rows(toy, {5, 5, 5});
    Metrics whole_metrics;
    const auto whole = gradients(toy, rows, &whole_metrics);
    EXPECT_GT(whole[0].norm().item<double>(), 0);
    for (const int64_t size : {1, 2, 7}) {
      toy.settings.micro_batch_responses = size;
      Metrics metrics;
      EXPECT_LT(relative_difference(whole, gradients(toy, rows, &metrics)), 1e-6) << size;
      EXPECT_NEAR(metrics.at("loss"), whole_metrics.at("loss"), 1e-7);  // terms of size 1 that nearly cancel
      EXPECT_NEAR(metrics.at("entropy"), whole_metrics.at("entropy"), 1e-6);
    }
  }
}

TEST(Update, RecomputingActivationsGivesTheSameBytes) {
  ToyRun toy;
  const ToyRows rows(toy, {5, 5, 5});
  const auto kept = gradients(toy, rows);
  toy.settings.recompute_activations = true;
  const auto again = gradients(toy, rows);
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(torch::equal(kept[i], again[i]));
}

TEST(Update, AMaskedRowCountsInNothing) {
  ToyRun toy;
  ToyRows rows(toy, {5, 5, 5});
  for (size_t b = 0; b < rows.rows.size(); b += 3) rows.rows[b].counts = false;
  const auto masked = gradients(toy, rows);
  ToyRows fewer(toy, {5, 5, 5});
  std::vector<TrainRow> left;
  for (size_t b = 0; b < fewer.rows.size(); ++b) {
    if (b % 3 != 0) left.push_back(fewer.rows[b]);
  }
  fewer.rows = left;
  EXPECT_LT(relative_difference(masked, gradients(toy, fewer)), 1e-6);
}

TEST(Update, ZeroAdvantagesGiveNoGradient) {
  ToyRun toy;
  ToyRows rows(toy, {5, 5, 5});
  for (TrainRow& row : rows.rows) row.advantage = 0;
  Metrics metrics;
  for (const torch::Tensor& gradient : gradients(toy, rows, &metrics)) EXPECT_EQ(gradient.abs().max().item<double>(), 0.0);
  EXPECT_EQ(metrics.at("largest_log_ratio"), 0.0);
}

// The golden file: the same update computed with transformers and PyTorch in double precision.
class GoldenUpdate : public testing::TestWithParam<std::string> {
 protected:
  struct Batch {
    std::vector<std::vector<int64_t>> prompts;
    std::vector<SampledResponse> responses;
    std::vector<TrainRow> rows;
  };

  static Json golden() { return parse_json(read_file(MEDSBENCH_TEST_DATA "/grpo_step.json")); }

  static TrainSettings settings(const Json& arm) {
    TrainSettings out;
    out.loss.clip_low = arm["clip_low"];
    out.loss.clip_high = arm["clip_high"];
    out.loss.dual_clip = arm["dual_clip"];
    out.loss.kl_coef = arm["kl_coef"];
    out.loss.aggregation = arm["aggregation"] == "token_mean" ? Aggregation::token_mean : Aggregation::seq_mean_token_mean;
    return out;
  }

  static Batch batch(const Json& groups) {
    Batch out;
    StepBatch step;
    std::vector<double> scores;
    for (const Json& group : groups) {
      out.prompts.push_back(group["prompt"].get<std::vector<int64_t>>());
      for (const Json& response : group["responses"]) {
        out.responses.emplace_back();
        out.responses.back().ids = response["ids"].get<std::vector<int64_t>>();
        TrainRow row;
        row.group = static_cast<int64_t>(out.prompts.size()) - 1;
        row.old_log_probs = response["old"].get<std::vector<float>>();
        row.ref_log_probs = response["ref"].get<std::vector<float>>();
        out.rows.push_back(std::move(row));
        Sample sample;
        sample.group = row.group = out.rows.back().group;
        step.samples.push_back(sample);
        scores.push_back(response["reward"]);
      }
    }
    step.groups = static_cast<int64_t>(out.prompts.size());
    const std::vector<double> advantages = MethodStack().advantages(step, scores);
    for (size_t b = 0; b < out.rows.size(); ++b) {
      out.rows[b].prompt = &out.prompts[static_cast<size_t>(out.rows[b].group)];
      out.rows[b].response = &out.responses[b];
      out.rows[b].advantage = advantages[b];
    }
    return out;
  }

  // Our gradients by Hugging Face names.
  static std::map<std::string, torch::Tensor> named_gradients(const Transformer& policy) {
    const ModelConfig& c = policy.config();
    std::map<std::string, torch::Tensor> out;
    for (const Parameter& parameter : policy.parameters()) {
      const std::string& name = parameter.name;
      const torch::Tensor grad = parameter.grad.to(torch::kFloat64);
      if (name == "embedding") out["model.embed_tokens.weight"] = grad;
      if (name == "final_norm") out["model.norm.weight"] = grad;
      if (!name.starts_with("layers.")) continue;
      const size_t dot = name.find('.', 7);
      const std::string at = "model." + name.substr(0, dot + 1), part = name.substr(dot + 1);
      const int64_t q = c.heads * c.head_dim, k = c.kv_heads * c.head_dim;
      if (part == "qkv") {
        out[at + "self_attn.q_proj.weight"] = grad.slice(0, 0, q);
        out[at + "self_attn.k_proj.weight"] = grad.slice(0, q, q + k);
        out[at + "self_attn.v_proj.weight"] = grad.slice(0, q + k);
      } else if (part == "gate_up") {
        out[at + "mlp.gate_proj.weight"] = grad.slice(0, 0, c.mlp_width);
        out[at + "mlp.up_proj.weight"] = grad.slice(0, c.mlp_width);
      } else {
        const std::map<std::string, std::string> names = {{"o", "self_attn.o_proj.weight"},
                                                          {"q_norm", "self_attn.q_norm.weight"},
                                                          {"k_norm", "self_attn.k_norm.weight"},
                                                          {"input_norm", "input_layernorm.weight"},
                                                          {"post_norm", "post_attention_layernorm.weight"},
                                                          {"down", "mlp.down_proj.weight"}};
        out[at + names.at(part)] = grad;
      }
    }
    return out;
  }
};

TEST_P(GoldenUpdate, LossAndGradientsEqualPyTorch) {
  const Json golden_file = golden();
  const Json& arm = golden_file["arms"][GetParam()];
  const Batch batch = this->batch(golden_file["groups"]);
  for (size_t b = 0; b < batch.rows.size(); ++b) {
    EXPECT_NEAR(batch.rows[b].advantage, arm["advantages"][b].get<double>(), 1e-9);
  }
  for (const int64_t micro_batch : {0, 3}) {
    const auto policy = Transformer::load(MEDSBENCH_SOURCE_DIR "/harness/model/testdata/tiny-qwen3", {});
    TrainSettings s = settings(arm["settings"]);
    s.micro_batch_responses = micro_batch;
    OptimizerSettings still;
    still.lr = 0;
    still.clip_norm = 0;
    Optimizer optimizer(*policy, still);
    MethodStack methods;
    const Metrics metrics = update_mini_batch(*policy, optimizer, methods, {batch.rows, s}).value();
    EXPECT_NEAR(metrics.at("loss"), arm["loss"].get<double>(), 1e-5 * std::max(1.0, std::abs(arm["loss"].get<double>())));
    const auto gradients = named_gradients(*policy);
    ASSERT_EQ(gradients.size(), arm["gradients"].size());
    for (const auto& [name, expected] : arm["gradients"].items()) {
      const torch::Tensor flat = gradients.at(name).flatten();
      const torch::Tensor wave = torch::cos(0.37 * torch::arange(flat.numel(), torch::kFloat64) + 0.1);
      const double norm = expected["norm"];
      EXPECT_NEAR(flat.norm().item<double>(), norm, 1e-5 * norm) << name;
      EXPECT_NEAR(flat.dot(wave).item<double>(), expected["wave"].get<double>(), 1e-5 * std::max(norm, 0.1)) << name;
      for (int64_t i = 0; i < 8; ++i) {
        EXPECT_NEAR(flat[i].item<double>(), expected["first"][static_cast<size_t>(i)].get<double>(), 1e-5 * std::max(norm, 0.1))
            << name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Arms, GoldenUpdate, testing::Values("grpo", "dapo"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace harness
