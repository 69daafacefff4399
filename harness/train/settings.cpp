#include "harness/train/settings.h"

#include "harness/core/error.h"

namespace harness {

SamplingSettings read_sampling_settings(Config& config, const std::string& prefix, const SamplingSettings& defaults) {
  SamplingSettings s = defaults;
  s.temperature = config.number(prefix + ".temperature", s.temperature, 1e-3, 100);
  s.top_p = config.number(prefix + ".top_p", s.top_p, 1e-6, 1);
  s.top_k = config.integer(prefix + ".top_k", s.top_k, 0);
  s.max_new_tokens = config.integer(prefix + ".max_new_tokens", s.max_new_tokens, 1);
  return s;
}

TrainSettings read_train_settings(Config& config) {
  TrainSettings s;
  s.seed = static_cast<uint64_t>(config.integer("train.seed", 1, 0));
  s.steps = config.integer("train.steps", s.steps, 1);
  s.prompts_per_step = config.integer("train.prompts_per_step", s.prompts_per_step, 1);
  s.responses_per_prompt = config.integer("train.responses_per_prompt", s.responses_per_prompt, 1);
  s.mini_batch_prompts = config.integer("train.mini_batch_prompts", s.mini_batch_prompts, 1);
  s.micro_batch_responses = config.integer("train.micro_batch_responses", 0, 0);
  s.recompute_activations = config.boolean("train.recompute_activations", false);
  s.offload_reference = config.boolean("train.offload_reference", false);
  s.shard = shard_of(config.text("train.shard", "none", {"none", "optimizer", "gradients", "parameters"}));
  if (s.offload_reference && s.shard == Shard::parameters) {
    throw Error(
        "train.offload_reference: expected train.shard = \"none\", \"optimizer\" or \"gradients\" beside it (\"parameters\" "
        "shares the reference too), found \"parameters\"");
  }
  s.recompute_old_log_probs = config.text("train.old_log_probs", "sampling", {"sampling", "recomputed"}) == "recomputed";
  s.mask_truncated = config.boolean("train.mask_truncated", false);
  s.importance_cap = config.number("train.importance_cap", 0, 0, 1e6);
  if (s.importance_cap > 0 && !s.recompute_old_log_probs) {
    throw Error("train.importance_cap: expected train.old_log_probs = \"recomputed\" beside it, found \"sampling\"");
  }
  s.grader = config.text("reward.grader", "recipe");
  s.sampling = read_sampling_settings(config, "sampling", {});
  s.max_rows = config.integer("rollout.max_rows", 256, 1);
  s.loss = read_loss_settings(config, s.sampling.max_new_tokens);
  s.filter.enabled = config.boolean("filter.enabled", false);
  s.filter.max_gen_batches = config.integer("filter.max_gen_batches", 10, 1);
  s.filter.on_starved = config.text("filter.on_starved", "stop", {"stop", "partial", "skip"});
  s.overlong_buffer = config.integer("overlong.buffer", 0, 0);
  s.overlong_factor = config.number("overlong.factor", 1.0, 0, 100);
  s.fingerprint.position = position_rule(config.text("fingerprint.position", "reference", {"reference", "last_box"}));
  s.fingerprint.lens_norm_all = config.text("fingerprint.lens_norm", "last", {"last", "all"}) == "all";
  s.optimizer = read_optimizer_settings(config, {});
  s.optimizer.offload = config.boolean("train.offload_optimizer", false);
  const int64_t updates = (s.prompts_per_step + s.mini_batch_prompts - 1) / s.mini_batch_prompts;
  s.optimizer.total_updates = s.optimizer.schedule == "constant" ? 0 : s.steps * updates;
  s.prompt = read_prompt_settings(config);
  s.validate_every = config.integer("eval.every", 0, 0);
  s.checkpoint_every = config.integer("checkpoint.every", 1, 1);
  s.collapse_entropy = config.number("train.collapse_entropy", s.collapse_entropy, 0, 100);
  return s;
}

}  // namespace harness
