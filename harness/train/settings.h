// TrainSettings: every key of a training run that is not a method's, a loss's or a prompt's own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/rl/loss.h"
#include "harness/rollout/fingerprint.h"
#include "harness/rollout/prompt.h"
#include "harness/rollout/sampling.h"
#include "harness/train/alarms.h"
#include "harness/train/states/optimizer.h"

namespace harness {

struct FilterSettings {
  bool enabled = false;             // keep a group iff its `correct` flags are not all equal (DAPO)
  int64_t max_gen_batches = 10;     // at most so many batches of prompts a step
  std::string on_starved = "stop";  // "stop": an error; "partial": train on what there is; "skip": no update this step
};

struct TrainSettings {
  uint64_t seed = 1;
  int64_t steps = 36;
  int64_t prompts_per_step = 16;
  int64_t responses_per_prompt = 16;
  int64_t mini_batch_prompts = 4;        // prompts of one update
  int64_t micro_batch_responses = 0;     // responses of one forward and backward pass; 0: the whole mini-batch
  bool recompute_activations = false;    // keep layer inputs only
  bool offload_reference = false;        // the reference policy in CPU memory but while it scores
  Shard shard = Shard::none;             // what each of several processes holds a share of (shares.h)
  bool recompute_old_log_probs = false;  // old_log_probs = "recomputed"
  bool mask_truncated = false;           // responses cut at the length limit count in no loss
  double importance_cap = 0;             // truncated importance weight min(pi_train / pi_sampling, cap); 0: off
  std::string grader = "recipe";
  SamplingSettings sampling;
  int64_t max_rows = 256;
  LossSettings loss;
  FilterSettings filter;
  int64_t overlong_buffer = 0;
  double overlong_factor = 1.0;
  FingerprintSettings fingerprint;
  OptimizerSettings optimizer;
  PromptSettings prompt;
  int64_t validate_every = 0;            // steps; 0: never
  int64_t checkpoint_every = 1;          // steps
  std::vector<int64_t> evaluated_steps;  // rising, 0 .. steps; 0: the base model. The models of those between are kept
  AlarmSettings alarms;
};

// Folder of the model of an evaluated step, under that of the training: "steps/step000012".
std::string kept_model(int64_t step);

// Reads train.*, rollout.*, sampling.*, reward.*, loss.*, filter.*, overlong.*, fingerprint.position, fingerprint.lens_norm,
// optimizer.*, prompt.*, alarm.*, eval.every, eval.checkpoints, checkpoint.every.
TrainSettings read_train_settings(ConfigReader& keys);
}  // namespace harness
