#include "harness/experiment/jobs/settings.h"

#include <torch/types.h>

#include <algorithm>
#include <cstdlib>

#include "harness/core/error.h"
#include "harness/sweep/job.h"

namespace harness {

namespace {

// Set by the planner for the parts of an identity that no other key carries.
void read_identity(ConfigReader& keys, const std::string& key, const std::string& meaning) {
  if (keys.has(key)) keys.text(key, "", meaning);
}

std::string read_model_folder(ConfigReader& keys) {
  const std::string folder = keys.required_text("model.folder", "folder of the model");
  keys.text("model.identity", "", "set by `run`: what the model's folder holds");
  return folder;
}

ModelConfig read_new_model(ConfigReader& keys) {
  ModelConfig m;
  m.architecture = keys.text("model.architecture", "qwen3", {"llama", "qwen2", "qwen3"}, "of a new model");
  m.qk_norm = m.architecture == "qwen3";
  m.qkv_bias = m.architecture == "qwen2";
  m.layers = keys.integer("model.layers", 6, 1, "blocks of a new model");
  m.width = keys.integer("model.width", 64, 1, "width of the residual stream");
  m.heads = keys.integer("model.heads", 4, 1, "query heads");
  m.kv_heads = keys.integer("model.kv_heads", 2, 1, "key-value heads");
  m.head_dim = keys.integer("model.head_dim", 16, 2, "width of a head");
  m.mlp_width = keys.integer("model.mlp_width", 192, 1, "width of the MLP");
  m.max_positions = keys.integer("model.max_positions", 256, 1, "longest sequence");
  m.rope_theta = keys.number("model.rope_theta", 1e4, 1, 1e12, "base of the rotary frequencies");
  m.tied_head = keys.boolean("model.tied_head", false, "the embedding is the head");
  return m;
}

}  // namespace

NumericsKeys read_numerics(ConfigReader& keys) {
  NumericsKeys n;
  const std::string dtype = keys.text("numerics.dtype", "fp32", {"fp32", "bf16"}, "of weights and activations");
  n.numerics.dtype = dtype == "fp32" ? torch::kFloat32 : torch::kBFloat16;
  const std::string device = keys.text("numerics.device", "cpu", {"cpu", "cuda"}, "where the model runs");
  n.numerics.device = device == "cpu" ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, 0);
  n.numerics.strict = keys.boolean("numerics.strict", device == "cpu",
                                   "a response does not depend on its batch; sampled and recomputed log-probs are equal");
  if (n.numerics.strict && device == "cuda") {
    throw Error(
        "numerics.strict: expected false on a GPU, where a product's row depends on how many rows there are, found true");
  }
  n.threads = keys.integer("numerics.threads", 1, 1, 1024, "threads of the model's arithmetic");
  return n;
}

bool takes_idle_workers(const NumericsKeys& keys) {
  return keys.threads == 1 && keys.numerics.strict && keys.numerics.device.is_cpu() && keys.numerics.dtype == torch::kFloat32;
}

int64_t threads_of(const NumericsKeys& keys) {
  const char* idle = std::getenv(kThreadsVariable);
  return idle != nullptr && takes_idle_workers(keys) ? std::max<int64_t>(1, std::atoll(idle)) : keys.threads;
}

DataKeys read_data(ConfigReader& keys, const ProblemCatalog& catalog) {
  DataKeys data;
  data.train = keys.texts("data.train", {"nano"}, "problem sets to train on");
  data.validation = keys.texts("data.validation", data.train, "problem sets of validations");
  data.test = keys.texts("data.test", data.train, "problem sets of the evaluation");
  data.source = catalog.open(keys);
  read_identity(keys, "data.identity", "set by `run`: what the data files hold");
  return data;
}

TrainJob read_train_job(ConfigReader& keys, const Program& program) {
  TrainJob job;
  job.model_folder = read_model_folder(keys);
  job.numerics = read_numerics(keys);
  job.data = read_data(keys, program.problems);
  job.settings = read_train_settings(keys);
  if (job.numerics.numerics.device.is_cpu()) {  // what the keys ask for is so already
    job.settings.optimizer.offload = job.settings.offload_reference = false;
  }
  job.processes = keys.integer("train.processes", job.processes, 1, 64, "processes that share the training on this machine");
  if (job.settings.shard != Shard::none && job.processes == 1) {
    throw Error("train.shard = \"{}\": expected train.processes > 1 beside it, found 1", shard_name(job.settings.shard));
  }
  job.validation_samples = keys.integer("eval.validation_samples", job.validation_samples, 1, "samples a validation problem");
  job.methods = program.methods.make_stack(keys);
  job.needs = job.methods.needs();
  return job;
}

EvalJob read_eval_job(ConfigReader& keys, const Program& program) {
  EvalJob job;
  job.model_folder = read_model_folder(keys);
  job.numerics = read_numerics(keys);
  job.data = read_data(keys, program.problems);
  job.prompt = read_prompt_settings(keys);
  EvalSettings& s = job.settings;
  s.n = keys.integer("eval.n", 128, 1, "samples a problem");
  s.seed = static_cast<uint64_t>(keys.integer("eval.seed", 0, 0, "of the evaluation's random draws"));
  s.training_seed = keys.integer("eval.training_seed", 0, 0, "set by `run`: the seed of the training");
  SamplingSettings defaults;
  defaults.max_new_tokens = keys.integer("sampling.max_new_tokens", defaults.max_new_tokens, 1, "longest response in tokens");
  s.sampling = read_sampling_settings(keys, "eval", defaults);
  s.max_rows = keys.integer("eval.max_rows", 512, 1, "responses decoded at once");
  s.store_ids = keys.boolean("eval.store_ids", true, "outcomes keep token ids");
  s.fingerprints = keys.boolean("eval.fingerprints", true, "outcomes keep fingerprints");
  const std::string reward = keys.text("reward.grader", "recipe", "grader whose verdicts are the reward");
  s.graders = keys.texts("eval.graders", {reward}, "graders of the evaluation, the main one first");
  s.fingerprint = read_fingerprint_settings(keys);
  job.train_samples = keys.integer("eval.train_samples", 0, 0, "samples a training problem for the train pass rate; 0: none");
  if (keys.has("eval.trial_problems")) {
    job.trial_problems = keys.integer("eval.trial_problems", 0, 1, "set by `run` where it tries a base model");
  }
  if (keys.has("eval.outcomes_folder")) {
    job.outcomes = keys.text("eval.outcomes_folder", "", "set by `run` for a row that grades another's responses");
    read_identity(keys, "eval.outcomes_identity", "set by `run`: of those responses");
  }
  return job;
}

PretrainJob read_pretrain_job(ConfigReader& keys, const Program& program) {
  PretrainJob job;
  job.numerics = read_numerics(keys);
  job.start = keys.text("model.start", "", "folder of a model to go on from; empty: a new one");
  keys.text("model.identity", "", "set by `run`: what the model's folder holds");
  if (job.start.empty()) job.model = read_new_model(keys);
  job.demonstrations =
      keys.text("data.demonstrations", "nano", program.problems.demonstration_names(), "what the model learns to write");
  job.source = read_data(keys, program.problems).source;
  job.seed = static_cast<uint64_t>(keys.integer("train.seed", 0, 0, "of the initial weights and the demonstrations"));
  job.settings.steps = keys.integer("train.steps", 1800, 1, "supervised steps");
  job.settings.batch = keys.integer("train.batch", 32, 1, "demonstrations of one step");
  job.settings.recompute_activations =
      keys.boolean("train.recompute_activations", false, "keep inputs of layers only and compute the rest again");
  job.checkpoint_every = keys.integer("checkpoint.every", job.checkpoint_every, 1, "steps between checkpoints");
  OptimizerSettings defaults;
  defaults.lr = 2.5e-3;
  defaults.beta2 = 0.98;
  defaults.weight_decay = 0.01;
  defaults.warmup_updates = 50;
  defaults.schedule = "linear";
  defaults.flat = 0.6;
  defaults.final_ratio = 0.02;
  job.settings.optimizer = read_optimizer_settings(keys, defaults);
  job.settings.optimizer.total_updates = job.settings.steps;
  job.prompt = read_prompt_settings(keys);
  return job;
}

}  // namespace harness
