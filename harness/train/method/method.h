// Method: the seams of the one training step that a method may fill, and nothing else (docs/architecture.md, "The seams").
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/rl/loss.h"
#include "harness/rollout/sampling.h"

namespace harness {

using Metrics = std::map<std::string, double>;

// What a method must be given; a run that cannot give it is refused, nothing is silently 0.
struct Needs {
  bool fingerprints = false;         // Sample::fingerprint
  bool readouts = false;             // Sample::readout
  bool answers = false;              // Sample::answer
  bool error_labels = false;         // Sample::error_label (procedural suites only)
  bool sampling_entropies = false;   // TokenBatch::sampling_entropies
  bool current_log_probs = false;    // TokenBatch::current_log_probs, from a no-gradient pass at the mini-batch's beginning
  bool current_entropies = false;    // TokenBatch::current_entropies, likewise
  bool entropy_gradient = false;     // LossInputs::entropies with a gradient
  bool reference_log_probs = false;  // LossInputs::ref_log_probs

  Needs operator|(const Needs& other) const;
};

// One kept response as the reward seams see it.
struct Sample {
  int64_t group = 0;     // 0 .. groups-1; the responses of a group stand side by side
  uint64_t problem = 0;  // identity of the problem (Problem::hash)
  bool correct = false;  // by the training grader; overlong shaping never changes it
  double reward = 0;     // base reward, overlong shaping included
  std::string answer;    // normalised answer; "" with has_answer false where there is none
  bool has_answer = false;
  std::string error_label;         // true error label, "" where there is none
  std::vector<float> fingerprint;  // [L'] after layer choice; empty: none
  std::vector<float> readout;      // [L] the layers it is chosen from; empty: none, or no method needs them
  double mean_log_prob = 0;        // of the sampled tokens under the sampling policy
};

struct StepBatch {
  int64_t step = 0;  // 1, 2, ...
  int64_t groups = 0;
  std::vector<Sample> samples;
};

// All responses of one mini-batch as the token seams see it: tensors [B, T] of one floating dtype, padded with 0.
struct TokenBatch {
  torch::Tensor mask;                // [B, T] 1 on response tokens
  torch::Tensor old_log_probs;       // [B, T] under the sampling policy
  torch::Tensor sampling_entropies;  // [B, T]; undefined unless needed
  torch::Tensor current_log_probs;   // [B, T] no gradient; undefined unless needed
  torch::Tensor current_entropies;   // [B, T] no gradient; undefined unless needed
  torch::Tensor advantages;          // [B, T]
  std::vector<uint64_t> row_keys;    // [B] keyed stream identity of each row, for random selections
  int64_t update = 0;                // number of the update, 0, 1, ..., for random selections
};

// One filling. Seams with an owner (`owns_*`) take one method; the others are applied in the order of the list.
class Method {
 public:
  virtual ~Method() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual Needs needs() const { return {}; }

  // S: sampling.
  virtual void adjust_sampling(SamplingSettings&) const {}

  // R: rewards of the whole step; `scores` starts as the base rewards [samples]. May use a memory that outlives the step.
  virtual void shape_rewards(const StepBatch&, std::vector<double>& /*scores*/, Metrics&) {}

  // True if shape_rewards overwrites the scores it is given: such a method must stand before every other one that shapes them.
  [[nodiscard]] virtual bool replaces_rewards() const { return false; }

  // G: scores of one group -> advantages of its responses, same order.
  [[nodiscard]] virtual bool owns_advantages() const { return false; }
  // False if group_advantages looks at right and wrong alone: it then refuses to stand with a method that shapes rewards.
  [[nodiscard]] virtual bool reads_scores() const { return true; }
  virtual void group_advantages(std::span<const Sample> /*group*/, std::span<const double> /*scores*/,
                                std::span<double> /*advantages*/) const {}

  // Called once a mini-batch, before its seams T, Q and L: what a controller must measure of the whole of it.
  virtual void observe(const TokenBatch&) {}

  // T: advantages of tokens, changed in place.
  virtual void shape_token_advantages(TokenBatch&) const {}

  // Q: which tokens of the whole mini-batch count: [B, T] 0/1 (a method says in `policy_terms` what counting means).
  [[nodiscard]] virtual bool owns_selection() const { return false; }
  [[nodiscard]] virtual torch::Tensor select_tokens(const TokenBatch&) const { return {}; }

  // L: the loss form, per token [B, T] before aggregation; `selected` is in the inputs.
  [[nodiscard]] virtual bool owns_policy_terms() const { return false; }
  [[nodiscard]] virtual torch::Tensor policy_terms(const LossSettings&, const LossInputs&, LossSums&) const { return {}; }

  // E: an extra loss term per token [B, T], aggregated as the policy term is; undefined: none.
  [[nodiscard]] virtual torch::Tensor extra_terms(const LossSettings&, const LossInputs&, LossSums&) const { return {}; }
  // Controllers: called after each update with the update's metrics ("entropy" is its mean token entropy).
  virtual void after_update(const Metrics&) {}

  // State that outlives a step, kept by name in the checkpoint folder given (files named NAME*). Default: none. `previous`:
  // that of the checkpoint which this one replaces ("" or a folder that may not exist); files that have not changed may be
  // linked.
  virtual void save_state(const std::string& /*folder*/, const std::string& /*previous*/) const {}
  virtual void load_state(const std::string& /*folder*/) {}
  // Values of that state worth a place in metrics.jsonl (entropy coefficient, stored vectors).
  virtual void report_state(Metrics&) const {}
};

// How experiments/cli knows a method. `overrides` are base keys that the method's published form sets ("loss.clip_high=0.28"),
// laid under what the user's file says.
struct MethodEntry {
  std::string name{}, title{}, source{}, hook{};               // "kl_cov", "KL-Cov", "arXiv 2505.22617", "Q,L"
  std::vector<std::string> overrides{};                        // KEY=VALUE
  std::function<std::unique_ptr<Method>(MethodKeys&)> make{};  // null where the overrides are the whole method
  std::string base = "dapo";                                   // the base its source stands on; every method runs on both
};

// An ordered list of fillings seen as one. The constructor refuses two owners of a seam, naming both.
class MethodStack {
 public:
  MethodStack() = default;
  explicit MethodStack(std::vector<std::unique_ptr<Method>> methods);

  [[nodiscard]] Needs needs() const;
  void adjust_sampling(SamplingSettings& settings) const;
  void shape_rewards(const StepBatch& step, std::vector<double>& scores, Metrics& metrics);
  // Default owner: GRPO (harness/rl/advantages.h).
  [[nodiscard]] std::vector<double> advantages(const StepBatch& step, std::span<const double> scores) const;
  // Checks that the batch holds what the methods need, lets each observe it, then applies T. Once a mini-batch, before
  // select_tokens.
  void shape_token_advantages(TokenBatch& batch) const;
  // Undefined where no method selects.
  [[nodiscard]] torch::Tensor select_tokens(const TokenBatch& batch) const;
  // The whole loss of (a part of) a mini-batch: policy terms + KL to the reference + extra terms, aggregated with the global
  // denominators, so that parts add up to the whole. Scalar with a gradient to log_probs and entropies.
  [[nodiscard]] torch::Tensor loss(const LossSettings& settings, const LossInputs& inputs, const Denominators& global,
                                   LossSums& sums) const;
  void after_update(const Metrics& metrics);
  void save_state(const std::string& folder, const std::string& previous) const;
  void load_state(const std::string& folder);
  void report_state(Metrics& metrics) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Method>>& methods() const { return methods_; }

 private:
  std::vector<std::unique_ptr<Method>> methods_;
};

}  // namespace harness
