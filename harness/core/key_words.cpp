#include "harness/core/key_words.h"

#include <algorithm>
#include <string_view>

#include "harness/core/nearest_name.h"
#include "harness/core/text_edit.h"

namespace harness {

namespace {

struct KeyWords {
  std::string_view key;    // ours
  std::string_view words;  // of others, one space between them
};

// By what a key says, so that the first that is known counts.
constexpr KeyWords kKeyWords[] = {
    {"optimizer.lr", "learning_rate lr actor_learning_rate actor_lr peak_lr base_lr"},
    {"optimizer.schedule", "lr_scheduler_type lr_scheduler scheduler lr_schedule"},
    {"optimizer.warmup_updates", "warmup_steps num_warmup_steps lr_warmup_steps warmup_ratio lr_warmup_ratio warmup"},
    {"optimizer.clip_norm", "max_grad_norm grad_clip clip_grad gradient_clipping gradient_clip_val max_norm"},
    {"optimizer.beta1", "adam_beta1"},
    {"optimizer.beta2", "adam_beta2"},
    {"train.steps",
     "max_steps total_steps num_steps n_steps steps total_training_steps num_train_epochs num_epochs total_epochs epochs "
     "num_episodes"},
    {"train.prompts_per_step", "batch_size train_batch_size rollout_batch_size gen_batch_size prompts_per_batch num_prompts"},
    {"train.mini_batch_prompts", "mini_batch_size minibatch_size ppo_mini_batch_size num_mini_batches"},
    {"train.micro_batch_responses",
     "per_device_train_batch_size micro_batch_size micro_train_batch_size ppo_micro_batch_size ppo_micro_batch_size_per_gpu "
     "gradient_accumulation_steps grad_accum accumulation_steps"},
    {"train.responses_per_prompt",
     "num_generations n_samples_per_prompt samples_per_prompt group_size rollout_n responses_per_group num_return_sequences "
     "num_rollouts"},
    {"train.recompute_activations",
     "gradient_checkpointing enable_gradient_checkpointing activation_checkpointing activation_recompute"},
    {"train.mask_truncated", "mask_truncated_completions"},
    {"train.processes", "num_processes n_gpus n_gpus_per_node num_gpus world_size nproc_per_node"},
    {"sampling.max_new_tokens",
     "max_completion_length max_tokens max_new_tokens max_response_length response_length generate_max_len max_length "
     "max_gen_len"},
    {"sampling.temperature", "temperature rollout_temperature"},
    {"sampling.top_p", "top_p"},
    {"sampling.top_k", "top_k"},
    {"prompt.prompt_tokens", "max_prompt_length prompt_length prompt_max_len"},
    {"prompt.system", "system_prompt"},
    {"prompt.template", "chat_template"},
    {"loss.kl_coef", "beta kl kl_coef kl_coeff kl_beta kl_penalty kl_loss_coef init_kl_coef use_kl_loss"},
    {"loss.clip_low",
     "epsilon clip clip_range cliprange clip_ratio clip_eps eps_clip clip_epsilon epsilon_low clip_ratio_low eps_clip_low"},
    {"loss.clip_high", "epsilon_high clip_ratio_high eps_clip_high"},
    {"loss.aggregation", "loss_type loss_agg_mode"},
    {"overlong.buffer", "overlong_buffer_len overlong_buffer"},
    {"numerics.dtype", "dtype torch_dtype precision bf16 fp16 mixed_precision"},
    {"numerics.device", "device gpu use_gpu cuda use_cuda device_map"},
    {"numerics.threads", "threads num_threads"},
    {"checkpoint.every", "save_steps save_freq save_interval checkpoint_every"},
    {"eval.every", "eval_steps test_freq eval_freq eval_every eval_interval"},
    {"eval.n", "num_samples n_samples eval_samples val_n"},
    {"reward.grader", "reward reward_func reward_funcs reward_function reward_fn grader verifier"},
    {"data.train", "dataset dataset_name train_dataset train_data train_files train_file prompt_data"},
    {"data.test", "eval_dataset test_dataset eval_data val_files test_files test_data"},
    {"method.name", "method algorithm algo advantage_estimator adv_estimator"},
    {"seeds", "seed random_seed"},
    {"train.seed", "seed"},
    {"run.jobs", "jobs workers num_workers"},
    {"models", "model model_name model_name_or_path model_path base_model pretrain"},
    {"compare_to", "baseline compare"},
};

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }  // npos + 1 is 0

bool is_one_of(const std::string& word, std::string_view words) {
  return (" " + std::string(words) + " ").find(" " + word + " ") != std::string_view::npos;
}

}  // namespace

std::string nearest_key_text(const std::string& key, const std::vector<std::string>& known) {
  const auto is_known = [&](std::string_view name) { return std::find(known.begin(), known.end(), name) != known.end(); };
  // A method's own keys are nobody else's.
  if (key.starts_with("method.")) return nearest_text(key, known);
  const std::string word = replace_all(lower_ascii(last_part(key)), "-", "_");
  const std::string table = key.substr(0, key.size() - last_part(key).size());
  for (const KeyWords& ours : kKeyWords) {
    if (!is_one_of(word, ours.words) || !is_known(ours.key)) continue;
    const std::string beside = table + std::string(last_part(ours.key));  // "eval.max_tokens": eval.max_new_tokens
    return "; the nearest is " + (!table.empty() && is_known(beside) ? beside : std::string(ours.key));
  }
  const std::string near = nearest_text(key, known);
  if (!near.empty()) return near;
  for (const std::string& name : known) {
    if (last_part(name) == last_part(key)) return "; the nearest is " + name;
  }
  return "";
}

}  // namespace harness
