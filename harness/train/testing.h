// For the tests of this folder: a tiny policy over characters, problems made by hand, a grader that needs no box; trainings of
// it by one process or several.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/ranks/testing.h"
#include "harness/text/tokenizer/character_tokenizer.h"
#include "harness/train/trainer.h"

namespace harness {

// Right: the response begins with a character of the problem's answer.
class FirstCharacterGrader : public Grader {
 public:
  [[nodiscard]] std::string name() const override { return "first_character"; }
  [[nodiscard]] Verdict grade(std::string_view response, const Problem& problem) const override {
    Verdict verdict;
    if (response.empty()) return verdict;
    verdict.extracted = verdict.normalised = std::string(response.substr(0, 1));
    verdict.correctness = problem.answer.find(response[0]) != std::string::npos ? Correctness::right : Correctness::wrong;
    return verdict;
  }
};

// A method with a state that outlives a step: each wrong answer costs a tenth for every time it was given before.
class TallyMethod : public Method {
 public:
  [[nodiscard]] std::string name() const override { return "tally"; }
  void shape_rewards(const StepBatch& step, std::vector<double>& scores, Metrics& metrics) override {
    for (size_t i = 0; i < scores.size(); ++i) {
      const Sample& sample = step.samples[i];
      if (!sample.correct) scores[i] -= 0.1 * static_cast<double>(std::min<int64_t>(5, counts_[sample.answer]));
    }
    for (const Sample& sample : step.samples) ++counts_[sample.answer];
    metrics["tally"] = static_cast<double>(counts_.size());
  }
  void save_state(const std::string& folder, const std::string& /*previous*/) const override {
    write_file_atomically(folder + "/tally.json", dump_line(Json(counts_)));
  }
  void load_state(const std::string& folder) override {
    counts_ = parse_json(read_file(folder + "/tally.json")).get<std::map<std::string, int64_t>>();
  }

 private:
  std::map<std::string, int64_t> counts_;
};

// An observer of which a test sets what it needs, and that keeps the warnings.
class ToyObserver : public TrainObserver {
 public:
  void on_warning(const std::string& warning) override { warnings.push_back(warning); }
  Metrics validate(int64_t step, const Transformer& policy) override {
    return validation ? validation(step, policy) : Metrics();
  }
  void before_pass(Pass pass, int64_t size) override {
    if (before) before(pass, size);
  }

  std::vector<std::string> warnings;
  std::function<Metrics(int64_t step, const Transformer& policy)> validation;
  std::function<void(Pass pass, int64_t size)> before;
};

// Learns from all that a method may ask a step for: the most likely tokens, stored answers, mean readouts.
class AskingMethod : public Method {
 public:
  [[nodiscard]] std::string name() const override { return "asking"; }
  [[nodiscard]] Needs needs() const override {
    return {.mean_readouts = true, .top_tokens = 2, .top_gradient = true, .stored_samples = 3, .stored_right = 1};
  }
  [[nodiscard]] bool shapes_rewards() const override { return true; }
  void shape_rewards(const StepBatch& step, std::vector<double>& scores, Metrics&) override {
    for (size_t i = 0; i < scores.size(); ++i) {
      if (!step.samples[i].stored) scores[i] += 0.01 * step.samples[i].mean_readout.at(0);
    }
  }
  [[nodiscard]] bool adds_terms() const override { return true; }
  [[nodiscard]] torch::Tensor extra_terms(const LossSettings&, const LossInputs& inputs, LossSums&) const override {
    const torch::Tensor likely = (inputs.top_log_probs - inputs.old_top_log_probs).exp().sum(2);
    return 0.1 * likely - 0.5 * inputs.stored * log_ratio(inputs);
  }
};

// A base model in a folder of its own with everything a run needs, and the folder of the run. Copies share the folder.
class ToyRun {
 public:
  explicit ToyRun(int64_t layers = 2) {
    std::filesystem::create_directories(run_folder());
    ModelConfig config;
    config.architecture = "qwen3";
    config.vocab_size = 16;
    config.width = 24;
    config.layers = layers;
    config.heads = 4;
    config.kv_heads = 2;
    config.head_dim = 6;
    config.mlp_width = 40;
    config.max_positions = 64;
    config.qk_norm = true;
    config.tied_head = true;
    config.eos_ids = {0};
    Transformer model(config, {});
    model.initialise(11);
    for (Parameter& parameter : model.parameters()) {
      if (parameter.decay) parameter.value.mul_(5.0);
    }
    model.save(model_folder());
    write_file_atomically(model_folder() + "/tokenizer.json",
                          character_tokenizer_json("0123456789+?{}", {"<end>"}, {"\\boxed{"}));
    tokenizer_ = Tokenizer::from_file(model_folder() + "/tokenizer.json");
    for (int64_t i = 0; i < 6; ++i) {
      Problem problem;
      problem.id = fmt::format("toy-{}", i);
      problem.set = "toy";
      problem.text = fmt::format("{}+{}?", i, i + 1);
      problem.answer = i % 2 == 0 ? "02468{" : "13579}";
      problems.push_back(problem);
    }
    settings.seed = 7;
    settings.steps = 4;
    settings.prompts_per_step = 3;
    settings.responses_per_prompt = 6;
    settings.mini_batch_prompts = 2;
    settings.sampling.max_new_tokens = 8;
    settings.max_rows = 8;
    settings.optimizer.lr = 3e-3;
    settings.prompt.form = "plain";
    settings.alarms = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "none", 0};
  }

  [[nodiscard]] std::string run_folder() const { return root_->path("run"); }
  [[nodiscard]] std::string model_folder() const { return root_->path("model"); }
  [[nodiscard]] std::unique_ptr<Transformer> policy() const { return Transformer::load(model_folder(), numerics); }
  [[nodiscard]] PromptMaker prompts() const {
    return PromptMaker(settings.prompt, model_folder(), policy()->config(), tokenizer_);
  }
  [[nodiscard]] TrainerInputs inputs(const std::string& run = "run") const {
    TrainerInputs in;
    in.settings = settings;
    in.folder = root_->path(run);
    std::filesystem::create_directories(in.folder);
    in.identity = "toy configuration";
    in.model_folder = model_folder();
    in.problems = problems;
    return in;
  }
  // Trains a fresh policy (or the one in the checkpoint) up to settings.steps.
  TrainResult train_in(const TrainerInputs& in, bool tally = false) const {
    const auto model = policy();
    return train_policy(*model, in, tally);
  }
  TrainResult train_policy(Transformer& model, const TrainerInputs& in, bool tally = false) const {
    std::vector<std::unique_ptr<Method>> list;
    if (tally) list.push_back(std::make_unique<TallyMethod>());
    if (asks) list.push_back(std::make_unique<AskingMethod>());
    MethodStack methods(std::move(list));
    return train(model, methods, prompts(), grader, in);
  }

  bool asks = false;  // trains with AskingMethod too
  Numerics numerics;  // of the policy
  TrainSettings settings;
  std::vector<Problem> problems;
  FirstCharacterGrader grader;

 private:
  std::shared_ptr<const ScratchFolder> root_ = std::make_shared<ScratchFolder>();
  std::shared_ptr<const Tokenizer> tokenizer_;
};

// Responses sampled from the toy policy, samples[p] to problem p, as rows with advantages that differ from row to row.
struct ToyRows {
  ToyRows(const ToyRun& toy, const std::vector<int64_t>& samples) {
    const auto policy = toy.policy();
    const PromptMaker prompts = toy.prompts();
    GeneratorSettings settings;
    settings.sampling = toy.settings.sampling;
    settings.stop_ids = {0};
    settings.max_rows = 7;
    for (size_t p = 0; p < samples.size(); ++p) {
      GenerationRequest request{prompts.ids(toy.problems[p].text), {}};
      for (int64_t s = 0; s < samples[p]; ++s) {
        request.streams.emplace_back("test rows", std::initializer_list<uint64_t>{p, static_cast<uint64_t>(s)});
      }
      requests.push_back(std::move(request));
    }
    responses = generate(*policy, requests, settings);
    for (size_t p = 0; p < responses.size(); ++p) {
      for (const SampledResponse& response : responses[p]) {
        TrainRow row;
        row.prompt = &requests[p].prompt;
        row.group = static_cast<int64_t>(p);
        row.response = &response;
        row.advantage = std::sin(1.3 * static_cast<double>(rows.size()) + 0.4);
        row.key = rows.size();
        row.old_log_probs = response.log_probs;
        rows.push_back(std::move(row));
      }
    }
  }
  std::vector<GenerationRequest> requests;
  std::vector<std::vector<SampledResponse>> responses;
  std::vector<TrainRow> rows;
};

// |a - b| / |a| of all numbers together.
inline double relative_difference(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]).square().sum().item<double>();
    size += a[i].square().sum().item<double>();
  }
  return std::sqrt(difference / size);
}

// The policy's gradients in double.
inline std::vector<torch::Tensor> gradients_of(const Transformer& policy) {
  std::vector<torch::Tensor> out;
  for (const Parameter& parameter : policy.parameters()) out.push_back(parameter.grad.to(torch::kFloat64));
  return out;
}

// A training whose last digits would show in its bytes.
inline ToyRun touchy_run(int64_t layers = 2) {
  ToyRun toy(layers);
  toy.settings.filter.enabled = true;
  toy.settings.loss.kl_coef = 0.05;
  toy.settings.optimizer.lr = 1e-4;
  return toy;
}

// Trains as `size` ranks in the run folder given; the policies of all ranks afterwards.
inline std::vector<std::unique_ptr<Transformer>> train_as_ranks(const ToyRun& toy, const std::string& run, int size,
                                                                const Numerics& numerics = {},
                                                                TrainObserver* observer = nullptr) {
  const TrainerInputs inputs = toy.inputs(run);
  const auto folder_of = [&](int rank) { return fmt::format("{}_policy_{}", inputs.folder, rank); };
  run_as_ranks(size, [&](Ranks& ranks) {
    const auto policy = Transformer::load(toy.model_folder(), numerics);
    TrainerInputs mine = inputs;
    mine.ranks = &ranks;
    mine.observer = observer;
    toy.train_policy(*policy, mine, true);
    policy->save(folder_of(ranks.rank()));
  });
  std::vector<std::unique_ptr<Transformer>> policies;
  for (int rank = 0; rank < size; ++rank) policies.push_back(Transformer::load(folder_of(rank), {}));
  return policies;
}

inline double largest_difference(const Transformer& a, const Transformer& b) {
  double largest = 0;
  for (size_t i = 0; i < a.parameters().size(); ++i) {
    largest = std::max(largest, (a.parameters()[i].value - b.parameters()[i].value).abs().max().item<double>());
  }
  return largest;
}

// Of every file in a folder.
inline std::map<std::string, std::string> bytes_of(const std::string& folder) {
  std::map<std::string, std::string> bytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      bytes[std::filesystem::relative(entry.path(), folder).string()] = read_file(entry.path().string());
    }
  }
  return bytes;
}

// The lines of a run's metrics.jsonl.
inline std::vector<Json> metrics_of(const std::string& folder) {
  std::vector<Json> lines;
  std::ifstream in(folder + "/metrics.jsonl");
  for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line));
  return lines;
}

}  // namespace harness
