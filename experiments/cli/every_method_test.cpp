// Every method of the program through the second half of a training step: what trains (float, micro-batch by micro-batch,
// through a network) against `inspect loss` (double, whole), whose answers loss_line_test.cpp holds to independent code.
#include "experiments/cli/every_method.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <map>

#include "baselines/testing.h"
#include "experiments/lines/loss_line.h"
#include "harness/core/random.h"
#include "harness/model/token_statistics.h"
#include "harness/train/testing.h"

namespace experiments {
namespace {

using baselines::testing::Arm;

// Values of keys under which a method's part is of the size of the rest in a small batch.
std::vector<std::string> telling_keys(const std::string& method) {
  static const std::map<std::string, std::vector<std::string>> kKeys = {
      {"entropy_bonus", {"method.beta=0.5"}},
      {"adaptive_entropy", {"method.target=100", "method.delta=0.5", "method.beta_max=1"}},
      {"clip_cov", {"method.ratio=0.2", "method.cov_low=-100", "method.cov_high=100"}},
      {"kl_cov", {"method.fraction=0.2"}},
      {"pass_k_training", {"method.k=2"}},
      {"pkpo", {"method.k=2"}}};
  const auto found = kKeys.find(method);
  return found == kKeys.end() ? std::vector<std::string>{} : found->second;
}

// `base` "": that which the method's source stands on.
Arm arm_of(const std::string& method, const std::string& base = "") {
  return baselines::testing::make_arm({method}, base, telling_keys(method), every_method().entries());
}

// Responses of the toy policy with old and reference log-probs around the current ones, and all else that a method may ask for.
struct ToyBatch {
  harness::ToyRun toy;
  harness::ToyRows of{toy, {5, 6, 4}};
  std::vector<harness::TrainRow>& rows = of.rows;

  // The mini-batch of step `step`: other numbers at each. `top`: the so many most likely tokens of each place.
  harness::Json line(int64_t step, int64_t top) {
    const harness::RandomStream draw("every method", {static_cast<uint64_t>(step)});
    uint64_t counter = 0;
    int64_t longest = 0;
    for (const harness::TrainRow& row : rows) longest = std::max(longest, row.response->tokens());
    harness::Json line;
    const harness::RowStatistics now = harness::score_rows(*toy.policy(), {rows, toy.settings}, top);
    for (size_t b = 0; b < rows.size(); ++b) {
      harness::TrainRow& row = rows[b];
      const auto shifted = [&](double spread) {
        std::vector<float> out;
        for (const float value : row.response->log_probs) {
          out.push_back(value + static_cast<float>(spread * draw.normal(counter++)));
        }
        return out;
      };
      row.old_log_probs = shifted(0.3);
      row.ref_log_probs = shifted(0.3);
      row.counts = b != 7;
      row.stored = row.group == 1;
      line["stored"].push_back(row.stored);
      const auto add = [&](const char* field, std::vector<float> values) {
        values.resize(static_cast<size_t>(longest), 0);
        line[field].push_back(values);
      };
      add("mask", std::vector<float>(row.counts ? row.response->ids.size() : 0, 1));
      add("log_probs", row.response->log_probs);
      add("old_log_probs", row.old_log_probs);
      add("ref_log_probs", row.ref_log_probs);
      add("entropies", row.response->entropies);
      if (top > 0) {
        row.top_ids = now.top_ids[b];
        row.top_log_probs = now.top_log_probs[b];
        const size_t columns = row.top_ids.size() / row.response->ids.size();
        std::vector<std::vector<float>> places(static_cast<size_t>(longest), std::vector<float>(columns, 0));
        std::vector<float> most_likely;
        for (size_t t = 0; t < row.response->ids.size(); ++t) {
          std::copy_n(row.top_log_probs.begin() + static_cast<int64_t>(t * columns), columns, places[t].begin());
          most_likely.push_back(static_cast<int64_t>(row.top_ids[t * columns]) == row.response->ids[t] ? 1 : 0);
        }
        line["top_log_probs"].push_back(places);
        line["old_top_log_probs"].push_back(places);
        add("most_likely", most_likely);
      }
      const bool correct = draw.uniform(counter++) < 0.5;
      line["groups"].push_back(row.group);
      line["correct"].push_back(correct);
      line["rewards"].push_back((correct ? 1 : 0) - (b % 4 == 0 ? 0.25 : 0));
      line["answers"].push_back(correct ? "right" : "wrong " + std::to_string(draw.below(counter++, 2)));
      line["error_labels"].push_back("slip");
      std::vector<double> fingerprint;
      for (int d = 0; d < 3; ++d) {
        const double cluster = std::round(draw.normal(counter++));
        fingerprint.push_back(cluster + 0.01 * draw.normal(counter++));
      }
      line["fingerprints"].push_back(fingerprint);
    }
    return line;
  }
};

torch::Tensor tensor_of(const harness::OrderedJson& matrix) {
  std::vector<torch::Tensor> rows;
  for (const auto& row : matrix) rows.push_back(torch::tensor(row.get<std::vector<double>>(), torch::kFloat64));
  return torch::stack(rows);
}

// Gradients of the network's parameters for gradients by the log-probs and entropies of the rows' tokens, [B, T], and by the
// log-probs of the most likely tokens, B of [T, K], in one pass.
std::vector<torch::Tensor> carried_back(harness::Transformer& policy, const std::vector<harness::TrainRow>& rows,
                                        double temperature, const torch::Tensor& by_log_probs,
                                        const torch::Tensor& by_entropies, const std::vector<torch::Tensor>& by_top) {
  const harness::PackedRows packed = harness::pack_rows(rows, 0, rows.size());
  const auto flat = [&](const torch::Tensor& matrix) {
    std::vector<torch::Tensor> parts;
    for (size_t b = 0; b < rows.size(); ++b) {
      parts.push_back(matrix[static_cast<int64_t>(b)].slice(0, 0, packed.lengths[b]));
    }
    return torch::cat(parts).to(torch::kFloat32);
  };
  const torch::Tensor source = torch::tensor(packed.source, torch::kInt64);
  harness::Tape tape;
  policy.zero_grad();
  const torch::Tensor hidden = policy.forward(packed.batch, &tape);
  const torch::Tensor chosen = hidden.index_select(0, source);
  const torch::Tensor by_chosen =
      harness::token_statistics_backward(policy, chosen, packed.targets, temperature, flat(by_log_probs),
                                         by_entropies.defined() ? flat(by_entropies) : torch::Tensor());
  torch::Tensor by_hidden = torch::zeros_like(hidden).index_add_(0, source, by_chosen);
  for (int64_t k = 0; !by_top.empty() && k < by_top.front().size(1); ++k) {
    std::vector<int64_t> targets;
    std::vector<torch::Tensor> parts;
    for (size_t b = 0; b < rows.size(); ++b) {
      const auto columns = static_cast<size_t>(by_top[b].size(1));
      for (int64_t t = 0; t < packed.lengths[b]; ++t) {
        targets.push_back(static_cast<int64_t>(rows[b].top_ids[static_cast<size_t>(t) * columns + static_cast<size_t>(k)]));
      }
      parts.push_back(by_top[b].slice(0, 0, packed.lengths[b]).select(1, k));
    }
    by_hidden.index_add_(0, source,
                         harness::token_statistics_backward(policy, chosen, targets, temperature,
                                                            torch::cat(parts).to(torch::kFloat32), torch::Tensor()));
  }
  policy.backward(packed.batch, tape, by_hidden);
  return harness::gradients_of(policy);
}

class EveryMethod : public testing::TestWithParam<std::string> {};

// The same selection, loss, gradients and means of two updates in a row, whatever the split into micro-batches.
TEST_P(EveryMethod, TrainsByTheLossThatInspectLossShows) {
  const std::string method = GetParam();
  ToyBatch batch;
  for (const std::string base : {"grpo", "dapo"}) {
    if ((method == "grpo" || method == "dapo") && method != base) continue;
    for (const int64_t micro_batch : {0, 4}) {
      SCOPED_TRACE(base + ", micro-batches of " + std::to_string(micro_batch));
      Arm shown = arm_of(method, base), trained = arm_of(method, base);
      harness::TrainSettings settings = batch.toy.settings;
      settings.loss = trained.settings;
      settings.micro_batch_responses = micro_batch;
      harness::OptimizerSettings still;
      still.lr = 0;
      still.clip_norm = 0;
      const auto policy = batch.toy.policy(), other = batch.toy.policy();
      harness::Optimizer optimizer(*policy, still);
      for (int64_t step = 1; step <= 2; ++step) {
        LossLine line =
            read_loss_line(batch.line(step, shown.stack.needs().top_tokens), shown.stack.needs(), shown.settings.kl_coef > 0);
        line.step.step = step;
        line.tokens.update = step - 1;
        const harness::OrderedJson answer = answer_loss_line(line, shown.stack, shown.settings);

        harness::Metrics metrics;
        const std::vector<double> advantages = harness::shape_rewards(trained.stack, line.step, metrics).advantages;
        for (size_t b = 0; b < batch.rows.size(); ++b) batch.rows[b].advantage = advantages[b];
        const harness::Metrics update =
            harness::update_mini_batch(*policy, optimizer, trained.stack, {batch.rows, settings}).value();
        EXPECT_NEAR(update.at("loss"), answer["loss"].get<double>(), 2e-6);
        for (const auto& [name, value] : update) {
          if (name == "loss" || name == "lr" || name == "grad_norm" || name == "largest_log_ratio") continue;
          EXPECT_NEAR(value, answer["metrics"][name].get<double>(), 2e-6) << name;
        }

        const torch::Tensor by_log_probs = tensor_of(answer["grad_log_probs"]);
        const torch::Tensor by_entropies =
            answer.contains("grad_entropies") ? tensor_of(answer["grad_entropies"]) : torch::Tensor();
        std::vector<torch::Tensor> by_top;
        if (answer.contains("grad_top_log_probs")) {
          for (const auto& row : answer["grad_top_log_probs"]) by_top.push_back(tensor_of(row));
        }
        const auto expected =
            carried_back(*other, batch.rows, settings.sampling.temperature, by_log_probs, by_entropies, by_top);
        EXPECT_GT(by_log_probs.abs().sum().item<double>(), 0);
        EXPECT_LT(harness::relative_difference(expected, harness::gradients_of(*policy)), 1e-5) << "step " << step;
        if (step == 2 && by_entropies.defined()) {
          EXPECT_GT(by_entropies.abs().sum().item<double>(), 1e-3);
        }
        if (answer.contains("selected")) {
          const double chosen = tensor_of(answer["selected"]).sum().item<double>();
          EXPECT_GT(chosen, 1);
          EXPECT_LT(chosen, line.tokens.mask.sum().item<double>() / 2);
        }
      }
    }
  }
}

bool differs(const harness::SamplingSettings& a, const harness::SamplingSettings& b) {
  return a.temperature != b.temperature || a.top_p != b.top_p || a.top_k != b.top_k || a.max_new_tokens != b.max_new_tokens;
}

TEST_P(EveryMethod, FillsTheSeamsThatItsFlagsName) {
  Arm arm = arm_of(GetParam());
  if (arm.stack.methods().empty()) return;  // its overrides are the whole method
  harness::Method& method = *arm.stack.methods().front();
  baselines::testing::MiniBatch batch = baselines::testing::random_batch(5, 4, 5, 7);
  for (harness::Sample& sample : batch.step.samples) sample.readout = sample.fingerprint;

  harness::SamplingSettings sampling;
  method.adjust_sampling(sampling);
  EXPECT_EQ(differs(sampling, {}), method.adjusts_sampling());

  std::vector<double> base;
  for (const harness::Sample& sample : batch.step.samples) base.push_back(sample.reward);
  std::vector<double> first = base, second = base, shifted(base.size(), 7);
  harness::Metrics metrics;
  method.shape_rewards(batch.step, first, metrics);
  batch.step.step = 2;
  method.shape_rewards(batch.step, second, metrics);
  EXPECT_EQ(first != base || second != base, method.shapes_rewards());
  EXPECT_EQ(first != second, method.remembers());
  arm_of(GetParam()).stack.methods().front()->shape_rewards(batch.step, shifted, metrics);
  EXPECT_EQ(method.shapes_rewards() && shifted == first, method.replaces_rewards());

  const std::vector<double> unset(5, -99);
  std::vector<double> advantages = unset, others = unset;
  const std::span<const harness::Sample> group = std::span(batch.step.samples).first(5);
  method.group_advantages(group, std::vector<double>{1, 0.5, 0, 0, 0.25}, advantages);
  method.group_advantages(group, std::vector<double>{0, 0.5, 1, 0, 0.75}, others);
  EXPECT_EQ(advantages != unset, method.owns_advantages());
  EXPECT_EQ(advantages != others, method.owns_advantages() && method.reads_scores());

  std::vector<double> reshaped, untouched;
  for (size_t i = 0; i < batch.step.samples.size(); ++i) reshaped.push_back(0.25 * static_cast<double>(i % 5) - 0.3);
  untouched = reshaped;
  std::vector<harness::Sample> alike = batch.step.samples;
  for (size_t i = 0; i < alike.size(); ++i) {  // of five: two right ones alike, one of its own, two wrong ones alike
    alike[i].correct = i % 5 < 3;
    alike[i].answer = alike[i].correct ? "right" : "wrong";
    if (i % 5 != 2) alike[i].fingerprint = alike[i / 5 * 5].fingerprint;
  }
  for (size_t begin = 0; begin < reshaped.size(); begin += 5) {
    method.reshape_advantages(std::span(alike).subspan(begin, 5), std::span(base).subspan(begin, 5),
                              std::span(reshaped).subspan(begin, 5));
  }
  EXPECT_EQ(reshaped != untouched, method.reshapes_advantages());

  harness::TokenBatch& tokens = batch.tokens;
  tokens.advantages = tokens.mask * (torch::arange(1, 21, torch::kFloat64) - 10.5).unsqueeze(1);
  const torch::Tensor before = tokens.advantages.clone();
  method.observe(tokens);
  method.shape_token_advantages(tokens);
  EXPECT_EQ(!torch::equal(tokens.advantages, before), method.shapes_tokens());
  const torch::Tensor selected = method.select_tokens(tokens);
  EXPECT_EQ(selected.defined(), method.owns_selection());

  const harness::LossInputs inputs{.mask = tokens.mask,
                                   .log_probs = tokens.current_log_probs,
                                   .old_log_probs = tokens.old_log_probs,
                                   .ref_log_probs = tokens.ref_log_probs,
                                   .entropies = tokens.current_entropies,
                                   .old_top_log_probs = tokens.old_top_log_probs,
                                   .top_log_probs = batch.top_log_probs,
                                   .stored = tokens.stored,
                                   .advantages = tokens.advantages,
                                   .selected = selected};
  harness::LossSums sums;
  EXPECT_EQ(method.policy_terms(arm.settings, inputs, sums).defined(), method.owns_policy_terms());
  EXPECT_EQ(method.extra_terms(arm.settings, inputs, sums).defined(), method.adds_terms());
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const harness::MethodEntry& entry : every_method().entries()) out.push_back(entry.name);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryMethod, testing::ValuesIn(names()), [](const auto& info) { return info.param; });

// One line of TOML: EDAS reshapes the advantages of the rewards that MEDS has shaped.
TEST(Combinations, MedsStandsUnderARivalThatReshapesAdvantages) {
  baselines::testing::MiniBatch batch = baselines::testing::random_batch(7, 1, 8, 5);
  for (size_t i = 0; i < 8; ++i) {
    harness::Sample& sample = batch.step.samples[i];
    sample.correct = i < 3;
    sample.reward = i < 3 ? 1 : 0;
    sample.answer = i < 3 ? "r" : (i < 6 ? "b" : "c");
    sample.fingerprint = i < 6 ? std::vector<float>{1, 0, 0, 0} : std::vector<float>{0, 1, 0, 0};
  }
  const auto second_step = [&](const std::vector<std::string>& names) {
    Arm arm = baselines::testing::make_arm(names, "dapo", {}, every_method().entries());
    (void)baselines::testing::evaluate(arm, batch);
    return baselines::testing::evaluate(arm, batch).group_advantages;
  };
  const std::vector<double> meds = second_step({"meds"}), both = second_step({"meds", "edas"}), alone = second_step({"edas"});
  double spread = 0;
  for (const double advantage : meds) spread += std::abs(advantage) / 8;
  const double entropy = -0.6 * std::log(0.6) - 0.4 * std::log(0.4);
  EXPECT_NEAR(both[3], meds[3] + 0.4 * spread * (-std::log(0.6) - entropy) / std::log(5), 1e-12);
  EXPECT_NEAR(both[7], meds[7] + 0.4 * spread * (-std::log(0.4) - entropy) / std::log(5), 1e-12);
  EXPECT_EQ(both[0], meds[0]);
  EXPECT_NE(both, alone);
}

TEST(SeamsOf, AreTheFlagsInTheOrderOfTheStep) {
  const auto seams = [](const std::string& method) { return harness::seams_of(*arm_of(method).stack.methods().front()); };
  EXPECT_EQ(seams("temperature"), "S");
  EXPECT_EQ(seams("meds"), "R + memory");
  EXPECT_EQ(seams("pkpo"), "R,G");
  EXPECT_EQ(seams("uniqueness"), "A");
  EXPECT_EQ(seams("entropy_advantage"), "T");
  EXPECT_EQ(seams("top_entropy"), "Q,L");
  EXPECT_EQ(seams("entropy_bonus"), "E");
  EXPECT_EQ(seams("cluster_probe"), "-");
}

}  // namespace
}  // namespace experiments
