// AdamW on fp32 masters with warm-up, a schedule and clipping by the global norm.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "harness/core/config.h"
#include "harness/model/transformer.h"
#include "harness/ranks/ranks.h"

namespace harness {

struct OptimizerSettings {
  double lr = 1e-6;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.1;   // on matrices; norms and biases have none
  double clip_norm = 1.0;      // of all gradients together; 0: off
  int64_t warmup_updates = 0;  // linear from lr / warmup_updates
  std::string schedule = "constant";  // "constant", "linear" (to final_ratio), "cosine" (to final_ratio)
  double flat = 0.0;           // share of total_updates before the schedule begins to fall
  double final_ratio = 0.0;
  int64_t total_updates = 0;   // of the schedule; 0 for a constant one
};

// Reads optimizer.* with these defaults.
OptimizerSettings read_optimizer_settings(Config& config, const OptimizerSettings& defaults);
// The learning rate of update number `update` = 0, 1, ...
double learning_rate(const OptimizerSettings& settings, int64_t update);

class Optimizer {
 public:
  // Holds fp32 masters of every parameter (the parameter itself where it is fp32). `ranks`: the processes that share the
  // gradients; null: this one alone.
  Optimizer(Transformer& model, OptimizerSettings settings, Ranks* ranks = nullptr);
  [[nodiscard]] Ranks* ranks() const { return ranks_; }
  // Clips, updates masters and parameters, counts. Returns the norm before clipping; the caller refuses one that is not finite
  // before calling `apply`.
  double gradient_norm() const;
  void apply(double norm);
  [[nodiscard]] int64_t updates() const { return updates_; }
  [[nodiscard]] double current_lr() const { return learning_rate(settings_, updates_); }

  // Masters, first and second moments by name, for checkpoints.
  [[nodiscard]] std::map<std::string, torch::Tensor> state() const;
  void restore(const std::map<std::string, torch::Tensor>& state, int64_t updates);

 private:
  Transformer& model_;
  OptimizerSettings settings_;
  Ranks* ranks_;
  std::vector<torch::Tensor> masters_, first_, second_;
  int64_t updates_ = 0;
};

}  // namespace harness
