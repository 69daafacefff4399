// AdamW on fp32 masters with warm-up, a schedule and clipping by the global norm.
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/model/transformer.h"
#include "harness/ranks/ranks.h"
#include "harness/train/states/shares.h"

namespace harness {

struct OptimizerSettings {
  double lr = 1e-6;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.1;          // on matrices; norms and biases have none
  double clip_norm = 1.0;             // of all gradients together; 0: off
  int64_t warmup_updates = 0;         // linear from lr / warmup_updates
  std::string schedule = "constant";  // "constant", "linear" (to final_ratio), "cosine" (to final_ratio)
  double flat = 0.0;                  // share of total_updates before the schedule begins to fall
  double final_ratio = 0.0;
  int64_t total_updates = 0;  // of the schedule; 0 for a constant one
  // Masters and moments lie in CPU memory and AdamW runs there, on numerics.threads threads: gradients come over, parameters go
  // back (train.offload_optimizer), so many numbers at once through page-locked memory.
  bool offload = false;
  int64_t offload_numbers = int64_t{1} << 26;
};

// Reads optimizer.* with these defaults.
OptimizerSettings read_optimizer_settings(ConfigReader& keys, const OptimizerSettings& defaults);
// The learning rate of update number `update` = 0, 1, ...
double learning_rate(const OptimizerSettings& settings, int64_t update);

// Steps a network: it outlives the optimiser, and so do the ranks. Decoupled weight decay (arXiv 1711.05101).
class Optimizer {
 public:
  // Holds fp32 masters of every parameter (the parameter itself where it is fp32), or this process's share of them. `ranks`:
  // the processes that share the gradients; null: this one alone, and `shard` is none.
  Optimizer(Transformer& model, OptimizerSettings settings, Ranks* ranks = nullptr, Shard shard = Shard::none);
  // What it was made with; `shares` is null where states are whole.
  [[nodiscard]] Ranks* ranks() const { return ranks_; }
  [[nodiscard]] Shard shard() const { return shares_ == nullptr ? Shard::none : shares_->shard(); }
  [[nodiscard]] SharedStates* shares() const { return shares_.get(); }
  // Gradients become 0: before the passes of an update.
  void begin_update();
  // After them: gradients become those of all processes, where the passes have not shared them already.
  void join_gradients();
  // Returns the norm of all gradients before clipping; the caller refuses one that is not finite before calling `apply`.
  [[nodiscard]] double gradient_norm() const;
  // Clips, updates masters and parameters, counts.
  void apply(double norm);
  // Updates so far, and the learning rate of the next.
  [[nodiscard]] int64_t updates() const { return updates_; }
  [[nodiscard]] double current_lr() const { return learning_rate(settings_, updates_); }

  // Masters, first and second moments for checkpoints: by the names of the parameters, or this process's shares by those of the
  // units. All processes restore together; a name that is missing or a tensor of another shape throws Error.
  [[nodiscard]] std::map<std::string, torch::Tensor> state() const;
  void restore(const std::map<std::string, torch::Tensor>& state, int64_t updates);

 private:
  // What one update of numbers that lie together needs.
  struct Part {
    bool decay = false;
    torch::Tensor master, first, second, gradient, value;
  };
  [[nodiscard]] std::vector<Part> parts() const;
  void apply_on_host(const std::vector<Part>& parts, double rate, double scale) const;
  [[nodiscard]] std::string name_of(size_t index) const;

  Transformer& model_;
  OptimizerSettings settings_;
  Ranks* ranks_;
  std::unique_ptr<SharedStates> shares_;                 // null: whole states
  std::vector<torch::Tensor> masters_, first_, second_;  // of each parameter, or [share] of each unit
  int64_t updates_ = 0;
};

}  // namespace harness
