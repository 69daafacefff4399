#include "harness/plan/job_cost.h"

#include <torch/types.h>

#include <algorithm>

#include "harness/eval/evaluator.h"
#include "harness/model/files/work.h"
#include "harness/train/step/over_ranks.h"

namespace harness {

void share_states(MemorySettings& settings, Shard shard) {
  settings.shared_optimizer = shard >= Shard::optimizer;
  settings.shared_gradients = shard >= Shard::gradients;
  settings.shared_parameters = shard >= Shard::parameters;
}

MemorySettings memory_of(const TrainJob& job, const ModelConfig& shape) {
  const TrainSettings& s = job.settings;
  MemorySettings m;
  m.shape = shape;
  m.bf16 = job.numerics.numerics.dtype == torch::kBFloat16;
  m.cuda = job.numerics.numerics.device.is_cuda();
  m.strict = job.numerics.numerics.strict;
  m.reference = s.loss.kl_coef > 0 || job.needs.reference_log_probs;
  m.recompute = s.recompute_activations;
  m.offload_optimizer = s.optimizer.offload;
  m.offload_numbers = s.optimizer.offload_numbers;
  m.offload_reference = s.offload_reference;
  m.readout = job.needs.fingerprints || job.needs.readouts || job.needs.mean_readouts;
  m.prompt_tokens = s.prompt.prompt_tokens;
  m.response_tokens = s.sampling.max_new_tokens;
  m.prompts = s.prompts_per_step;
  m.responses = s.responses_per_prompt;
  m.mini_batch = std::min(s.mini_batch_prompts, s.prompts_per_step) * s.responses_per_prompt;
  m.processes = job.processes;
  share_states(m, s.shard);
  m.micro_batch = static_cast<int64_t>(micro_batch_rows(s, static_cast<size_t>(m.mini_batch), static_cast<int>(job.processes)));
  m.rows = s.max_rows;
  return m;
}

MemorySettings memory_of(const EvalJob& job, const ModelConfig& shape, int64_t problems) {
  MemorySettings m;
  m.shape = shape;
  m.train = false;
  m.bf16 = job.numerics.numerics.dtype == torch::kBFloat16;
  m.cuda = job.numerics.numerics.device.is_cuda();
  m.strict = job.numerics.numerics.strict;
  m.readout = job.settings.fingerprints;
  m.prompt_tokens = job.prompt.prompt_tokens;
  m.response_tokens = job.settings.sampling.max_new_tokens;
  m.responses = job.settings.n;
  m.rows = job.settings.max_rows;
  m.prompts = std::min(problems_at_once(job.settings.max_rows, job.settings.n), std::max<int64_t>(1, problems));
  return m;
}

namespace {

// Weights are read once for each step of so many rows, keys and values for each token.
double bytes_of_decoding(const ModelConfig& shape, const NumericsKeys& numerics, double tokens, double rows, double context) {
  const double element = numerics.numerics.dtype == torch::kBFloat16 ? 2 : 4;
  return tokens * (element * parameter_count(shape) / rows + context * kv_bytes_of_position(shape, element));
}

}  // namespace

void add_training(const TrainJob& job, const ModelConfig& shape, double seeds, JobCosts& costs) {
  const TrainSettings& s = job.settings;
  const auto prompt = static_cast<double>(s.prompt.prompt_tokens), longest = static_cast<double>(s.sampling.max_new_tokens);
  const auto prompts = static_cast<double>(s.prompts_per_step), responses = static_cast<double>(s.responses_per_prompt);
  const double steps = seeds * static_cast<double>(s.steps);
  const double sampled = steps * prompts * responses * longest;
  const double of_response = flops_of_token(shape, prompt + longest / 2), of_prompt = flops_of_token(shape, prompt / 2);
  // Prompts stand once in each pass of a micro-batch.
  const double together =
      s.micro_batch_responses > 0 ? std::min(responses, static_cast<double>(s.micro_batch_responses)) : responses;
  const double pass = sampled * of_response + steps * prompts * responses / together * prompt * of_prompt;
  double passes = s.recompute_activations ? 4 : 3;  // forward, backward (twice the forward), the forward again
  if (s.recompute_old_log_probs || job.needs.top_tokens > 0) passes += 1;
  if (s.loss.kl_coef > 0 || job.needs.reference_log_probs) passes += 1;
  costs.train_tokens += sampled;
  costs.decode_flops += sampled * of_response;
  costs.decode_bytes += bytes_of_decoding(shape, job.numerics, sampled,
                                          std::min(static_cast<double>(s.max_rows), prompts * responses), prompt + longest / 2);
  costs.pass_flops += steps * prompts * prompt * of_prompt + passes * pass;
  costs.disk_bytes += seeds * parameter_count(shape) * 16;  // a checkpoint (masters and moments) and the model
}

void add_evaluation(const EvalJob& job, const ModelConfig& shape, double seeds, double problems, JobCosts& costs) {
  const auto prompt = static_cast<double>(job.prompt.prompt_tokens);
  const auto longest = static_cast<double>(job.settings.sampling.max_new_tokens);
  const double tokens = seeds * problems * static_cast<double>(job.settings.n) * longest;
  costs.eval_tokens += tokens;
  costs.decode_flops += tokens * flops_of_token(shape, prompt + longest / 2);
  costs.decode_bytes += bytes_of_decoding(
      shape, job.numerics, tokens,
      std::min(static_cast<double>(job.settings.max_rows), std::max(1.0, problems) * static_cast<double>(job.settings.n)),
      prompt + longest / 2);
  costs.pass_flops += seeds * problems * prompt * flops_of_token(shape, prompt / 2);
  costs.disk_bytes += tokens * (job.settings.store_ids ? 6 : 2);  // compressed text, and ids
}

}  // namespace harness
