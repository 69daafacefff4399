// Method: the seams of the one training step that a method may fill, and nothing else (docs/architecture.md, "The seams").
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/rl/loss.h"
#include "harness/rollout/sampling.h"
#include "harness/train/method/sample.h"

namespace harness {

// All responses of one mini-batch as the token seams see it: tensors [B, T] of one floating dtype, padded with 0.
struct TokenBatch {
  torch::Tensor mask;                // 1 on response tokens
  torch::Tensor old_log_probs;       // under the sampling policy, nats
  torch::Tensor ref_log_probs;       // under the reference policy; undefined without one
  torch::Tensor sampling_entropies;  // nats; undefined unless needed
  torch::Tensor current_log_probs;   // no gradient; undefined unless needed
  torch::Tensor current_entropies;   // no gradient; undefined unless needed
  // Of the K tokens of each place that were most likely when the step began, most likely first (as many as were needed by any
  // method, at most the vocabulary): [B, T, K] nats, under that policy; undefined unless needed.
  torch::Tensor old_top_log_probs;
  torch::Tensor most_likely;  // 1 where the response's token is the first of them; undefined unless needed
  torch::Tensor stored;  // 1 on tokens of stored answers, whose old log-probs are the base model's; undefined unless needed
  torch::Tensor advantages;
  torch::Tensor weights;           // truncated importance weights that multiply the advantages after T and Q; undefined: 1
  std::vector<uint64_t> row_keys;  // [B] keyed stream identity of each row, for random selections
  int64_t update = 0;              // number of the update, 0, 1, ..., for random selections
};

// One filling. Seams with an owner (`owns_*`) take one method; the others are applied in the order of the list. A method says
// which seams it fills by a flag beside each: what may stand together and what is printed of it follow from the flags.
class Method {
 public:
  virtual ~Method() = default;
  // As in method.name: its keys are method.NAME.*, its state's files begin with it.
  [[nodiscard]] virtual std::string name() const = 0;
  // The same for the whole run.
  [[nodiscard]] virtual Needs needs() const { return {}; }

  // S: sampling.
  [[nodiscard]] virtual bool adjusts_sampling() const { return false; }
  virtual void adjust_sampling(SamplingSettings&) const {}

  // R: rewards of the whole step; `scores` starts as the base rewards [samples]. May use a memory that outlives the step.
  // Called of every method, also of one that only looks: the flag says whether it changes a score.
  [[nodiscard]] virtual bool shapes_rewards() const { return false; }
  virtual void shape_rewards(const StepBatch&, std::vector<double>& /*scores*/, Metrics&) {}
  // True if shape_rewards overwrites the scores it is given: such a method must stand before every other one that shapes them.
  [[nodiscard]] virtual bool replaces_rewards() const { return false; }
  // True if its rewards say nothing of right and wrong: it then refuses to stand with a method that shapes rewards or reshapes
  // advantages, which may look at them.
  [[nodiscard]] virtual bool ignores_truth() const { return false; }
  // True if what it does to the rewards depends on earlier steps.
  [[nodiscard]] virtual bool remembers() const { return false; }

  // G: scores of one group -> advantages of its responses, same order.
  [[nodiscard]] virtual bool owns_advantages() const { return false; }
  // False if group_advantages looks at right and wrong alone: it then refuses to stand with a method that shapes rewards.
  [[nodiscard]] virtual bool reads_scores() const { return true; }
  virtual void group_advantages(std::span<const Sample> /*group*/, std::span<const double> /*scores*/,
                                std::span<double> /*advantages*/) const {}

  // A: advantages of one group's responses, known from G, changed in place. Sees the group's scores as the methods shaped them.
  [[nodiscard]] virtual bool reshapes_advantages() const { return false; }
  virtual void reshape_advantages(std::span<const Sample> /*group*/, std::span<const double> /*scores*/,
                                  std::span<double> /*advantages*/) const {}

  // Called once a mini-batch, before its seams T, Q and L: what a controller must measure of the whole of it.
  virtual void observe(const TokenBatch&) {}

  // T: advantages of tokens, changed in place.
  [[nodiscard]] virtual bool shapes_tokens() const { return false; }
  virtual void shape_token_advantages(TokenBatch&) const {}

  // Q: which tokens of the whole mini-batch count: [B, T] 0/1 (a method says in `policy_terms` what counting means).
  [[nodiscard]] virtual bool owns_selection() const { return false; }
  [[nodiscard]] virtual torch::Tensor select_tokens(const TokenBatch&) const { return {}; }

  // L: the loss form, per token [B, T] before aggregation; `selected` is in the inputs.
  [[nodiscard]] virtual bool owns_policy_terms() const { return false; }
  [[nodiscard]] virtual torch::Tensor policy_terms(const LossSettings&, const LossInputs&, LossSums&) const { return {}; }

  // E: an extra loss term per token [B, T], aggregated as the policy term is; undefined: none.
  [[nodiscard]] virtual bool adds_terms() const { return false; }
  [[nodiscard]] virtual torch::Tensor extra_terms(const LossSettings&, const LossInputs&, LossSums&) const { return {}; }
  // Controllers: called after each update with the update's metrics ("entropy" is its mean token entropy, nats).
  virtual void after_update(const Metrics&) {}

  // State that outlives a step, kept by name in the checkpoint folder given (files named NAME*). Default: none. `previous`:
  // that of the checkpoint which this one replaces ("" or a folder that may not exist); files that have not changed may be
  // linked. Both throw Error; loading one for a damaged or a newer file.
  virtual void save_state(const std::string& /*folder*/, const std::string& /*previous*/) const {}
  virtual void load_state(const std::string& /*folder*/) {}
  // Values of that state worth a place in metrics.jsonl (entropy coefficient, stored vectors).
  virtual void report_state(Metrics&) const {}
};

// The seams that a method fills, for people: "Q,L", "R + memory"; "-" where it fills none.
std::string seams_of(const Method& method);

// How the program knows a method. `overrides` are base keys that the method's published form sets ("loss.clip_high=0.28"),
// laid under what the user's file says.
struct MethodEntry {
  std::string name{}, title{}, source{};                       // "kl_cov", "KL-Cov", "arXiv 2505.22617"
  std::vector<std::string> overrides{};                        // KEY=VALUE
  std::function<std::unique_ptr<Method>(MethodKeys&)> make{};  // null where the overrides are the whole method
  std::string base = "dapo";                                   // the base its source stands on; every method runs on both
};

// An ordered list of fillings seen as one. The constructor throws Error, with the names, for a method that stands twice, two
// owners of a seam, rewards replaced after they were shaped, and rewards shaped for an advantage that does not read them.
class MethodStack {
 public:
  MethodStack() = default;  // nothing but the base
  explicit MethodStack(std::vector<std::unique_ptr<Method>> methods);

  // What any of the methods needs.
  [[nodiscard]] Needs needs() const;
  // The seam S of each, in the order of the list.
  void adjust_sampling(SamplingSettings& settings) const;
  // Scores [samples], changed in place; the methods add their metrics.
  void shape_rewards(const StepBatch& step, std::vector<double>& scores, Metrics& metrics);
  // Scores [samples] -> advantages [samples], group by group: the seam G, whose default owner is GRPO
  // (harness/rl/advantages.h), then the seam A of each method in the order of the list.
  [[nodiscard]] std::vector<double> advantages(const StepBatch& step, std::span<const double> scores) const;
  // Lets each method observe the batch, then applies T. Once a mini-batch, before select_tokens. Throws Error where the batch
  // lacks what a method needs.
  void shape_token_advantages(TokenBatch& batch) const;
  // [B, T] 0/1; undefined where no method selects.
  [[nodiscard]] torch::Tensor select_tokens(const TokenBatch& batch) const;
  // The whole loss of (a part of) a mini-batch: policy terms + KL to the reference + extra terms, aggregated with the global
  // denominators, so that parts add up to the whole. Scalar with a gradient to log_probs and entropies. Throws Error where the
  // inputs lack what a method or the KL term needs.
  [[nodiscard]] torch::Tensor loss(const LossSettings& settings, const LossInputs& inputs, const Denominators& global,
                                   LossSums& sums) const;
  // The seams of each method that take no other argument, in the order of the list.
  void after_update(const Metrics& metrics);
  void save_state(const std::string& folder, const std::string& previous) const;
  void load_state(const std::string& folder);
  void report_state(Metrics& metrics) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Method>>& methods() const { return methods_; }

 private:
  std::vector<std::unique_ptr<Method>> methods_;
};

}  // namespace harness
