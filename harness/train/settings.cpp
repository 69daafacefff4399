#include "harness/train/settings.h"

#include "harness/core/error.h"

namespace harness {

namespace {

FilterSettings read_filter_settings(ConfigReader& keys) {
  FilterSettings s;
  s.enabled = keys.boolean("filter.enabled", s.enabled, "only groups with right and wrong responses are kept (DAPO)");
  s.max_gen_batches = keys.integer("filter.max_gen_batches", s.max_gen_batches, 1, "batches of prompts sampled for one step");
  s.on_starved = keys.text("filter.on_starved", s.on_starved, {"stop", "partial", "skip"},
                           "too few groups are left: end, train on what there is, or skip the step");
  return s;
}

}  // namespace

TrainSettings read_train_settings(ConfigReader& keys) {
  TrainSettings s;
  s.seed =
      static_cast<uint64_t>(keys.integer("train.seed", static_cast<int64_t>(s.seed), 0, "of every random draw of the run"));
  s.steps = keys.integer("train.steps", s.steps, 1, "training steps");
  s.prompts_per_step = keys.integer("train.prompts_per_step", s.prompts_per_step, 1, "problems of one step");
  s.responses_per_prompt = keys.integer("train.responses_per_prompt", s.responses_per_prompt, 1, "responses of one problem");
  s.mini_batch_prompts = keys.integer("train.mini_batch_prompts", s.mini_batch_prompts, 1, "problems of one update");
  s.micro_batch_responses = keys.integer("train.micro_batch_responses", s.micro_batch_responses, 0,
                                         "responses of one forward and backward pass; 0: the whole mini-batch");
  s.recompute_activations = keys.boolean("train.recompute_activations", s.recompute_activations,
                                         "keep inputs of layers only and compute the rest again");
  s.offload_reference = keys.boolean("train.offload_reference", s.offload_reference,
                                     "the reference policy lies in CPU memory but while it scores");
  s.shard =
      shard_of(keys.text("train.shard", std::string(shard_name(s.shard)), {"none", "optimizer", "gradients", "parameters"},
                         "what each of several processes holds a share of"));
  if (s.offload_reference && s.shard == Shard::parameters) {
    throw Error(
        "train.offload_reference: expected train.shard = \"none\", \"optimizer\" or \"gradients\" beside it (\"parameters\" "
        "shares the reference too), found \"parameters\"");
  }
  s.recompute_old_log_probs = keys.text("train.old_log_probs", "sampling", {"sampling", "recomputed"},
                                        "the old policy's log-probs: as sampled, or by a pass of their own") == "recomputed";
  s.mask_truncated =
      keys.boolean("train.mask_truncated", s.mask_truncated, "responses cut at the length limit count in no loss");
  s.importance_cap = keys.number("train.importance_cap", s.importance_cap, 0, 1e6,
                                 "weight min(pi_train / pi_sampling, cap) of each token; 0: off");
  if (s.importance_cap > 0 && !s.recompute_old_log_probs) {
    throw Error("train.importance_cap: expected train.old_log_probs = \"recomputed\" beside it, found \"sampling\"");
  }
  s.grader = keys.text("reward.grader", s.grader, "grader whose verdicts are the reward");
  s.sampling = read_sampling_settings(keys, "sampling", {});
  s.max_rows = keys.integer("rollout.max_rows", s.max_rows, 1, "responses decoded at once");
  s.loss = read_loss_settings(keys, s.sampling.max_new_tokens);
  s.filter = read_filter_settings(keys);
  s.overlong_buffer = keys.integer("overlong.buffer", s.overlong_buffer, 0,
                                   "tokens before the length limit over which the penalty grows; 0: off (DAPO)");
  s.overlong_factor = keys.number("overlong.factor", s.overlong_factor, 0, 100, "penalty of a response at the length limit");
  s.fingerprint = read_fingerprint_settings(keys);
  s.optimizer = read_optimizer_settings(keys, {});
  s.optimizer.offload = keys.boolean("train.offload_optimizer", s.optimizer.offload,
                                     "masters and moments lie in CPU memory, where AdamW then runs");
  const int64_t updates = (s.prompts_per_step + s.mini_batch_prompts - 1) / s.mini_batch_prompts;
  s.optimizer.total_updates = s.optimizer.schedule == "constant" ? 0 : s.steps * updates;
  s.prompt = read_prompt_settings(keys);
  s.validate_every = keys.integer("eval.every", s.validate_every, 0, "steps between validations; 0: none");
  s.checkpoint_every = keys.integer("checkpoint.every", s.checkpoint_every, 1, "steps between checkpoints");
  s.evaluated_steps =
      keys.integers("eval.checkpoints", {}, "steps whose policies are evaluated too, and kept until then; 0: the base model");
  for (size_t i = 0; i < s.evaluated_steps.size(); ++i) {
    const int64_t step = s.evaluated_steps[i];
    if (step >= (i == 0 ? 0 : s.evaluated_steps[i - 1] + 1) && step <= s.steps) continue;
    throw Error("{}: eval.checkpoints: expected rising steps from 0 to train.steps ({}), found {}",
                keys.config().find("eval.checkpoints")->origin, s.steps, step);
  }
  s.alarms = read_alarm_settings(keys);
  return s;
}

std::string kept_model(int64_t step) { return fmt::format("steps/step{:06}", step); }

}  // namespace harness
