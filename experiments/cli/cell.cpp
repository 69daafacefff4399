#include "experiments/cli/cell.h"

#include <ATen/Parallel.h>
#include <sys/resource.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include "baselines/all_methods.h"
#include "experiments/cli/every_method.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/cuda/device.h"

namespace experiments {

using harness::Config;
using harness::Error;

const std::vector<std::string>& keys_without_result() {
  static const std::vector<std::string> keys = {
      "model.folder",           "data.dir",         "numerics.threads", "model.start", "method.threads",
      "checkpoint.every",       "rollout.max_rows", "train.processes",  "train.shard", "train.offload_optimizer",
      "train.offload_reference"};
  return keys;
}

std::string cell_identity(const Config& config, const std::string& kind) {
  // Several processes add gradients in another order than one does.
  const auto processes = config.effective().find("train.processes");
  const int64_t count = processes == config.effective().end() ? 1 : std::get<int64_t>(processes->second.value);
  std::string shared = count > 1 ? fmt::format("{} by {} processes", kind, count) : kind;
  // Shared gradients are summed over the processes for each micro-batch, whole ones once.
  const auto shard = config.effective().find("train.shard");
  if (shard != config.effective().end() &&
      harness::shard_of(std::get<std::string>(shard->second.value)) >= harness::Shard::gradients) {
    shared += ", gradients shared";
  }
  // AdamW of the CPU rounds otherwise than that of a GPU.
  const auto is = [&](const char* key, const Config::Value& value) {
    const auto found = config.effective().find(key);
    return found != config.effective().end() && found->second.value == value;
  };
  if (is("train.offload_optimizer", true) && is("numerics.device", std::string("cuda"))) shared += ", AdamW on the CPU";
  return harness::sha256_hex(
      fmt::format("{} {} {}", shared, harness::kNumericsVersion, config.identity(keys_without_result())));
}

std::string eval_identity(const Config& config) {
  std::vector<std::string> keys = keys_without_result();
  keys.insert(keys.end(), {"eval.n", "eval.max_rows", "eval.outcomes_folder"});
  return harness::sha256_hex(fmt::format("eval {} {}", harness::kNumericsVersion, config.identity(keys)));
}

NumericsKeys read_numerics(Config& config) {
  NumericsKeys keys;
  keys.numerics.dtype = config.text("numerics.dtype", "fp32", {"fp32", "bf16"}) == "fp32" ? torch::kFloat32 : torch::kBFloat16;
  const std::string device = config.text("numerics.device", "cpu", {"cpu", "cuda"});
  keys.numerics.device = device == "cpu" ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, 0);
  keys.numerics.strict = config.boolean("numerics.strict", device == "cpu");
  if (keys.numerics.strict && device == "cuda") {
    throw Error(
        "numerics.strict: expected false on a GPU, where a product's row depends on how many rows there are, found true");
  }
  keys.threads = config.integer("numerics.threads", 1, 1, 1024);
  return keys;
}

void check_device(const harness::Numerics& numerics) {
  if (numerics.device.is_cuda() && !torch::cuda::is_available()) {
    throw Error("numerics.device: expected a GPU that LibTorch can use, found none: {}",
                harness::cuda::find_devices().why_none);
  }
}

void use_threads(int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  at::set_num_interop_threads(1);
}

DataKeys read_data(Config& config) {
  DataKeys keys;
  keys.train = config.texts("data.train", {"nano"});
  keys.validation = config.texts("data.validation", keys.train);
  keys.sets = config.texts("data.test", keys.train);
  keys.load.data_dir = config.text("data.dir", "");
  if (config.has("data.identity")) config.text("data.identity", "");  // set by the planner: what the files held
  keys.load.data_seed = static_cast<uint64_t>(config.integer("data.seed", 0, 0));
  keys.load.limit = config.integer("data.limit", 0, 0);
  keys.load.train_limit = config.integer("data.train_limit", 0, 0);
  keys.load.validation = config.integer("data.validation_problems", 0, 0);
  keys.load.nano.train = config.integer("data.nano.train", keys.load.nano.train, 1);
  keys.load.nano.validation = config.integer("data.nano.validation", keys.load.nano.validation, 1);
  keys.load.nano.test = config.integer("data.nano.test", keys.load.nano.test, 1);
  keys.load.nano.slips = config.number("data.nano.slips", keys.load.nano.slips, 0, 1);
  for (const auto& [key, entry] : config.entries()) {
    const std::string prefix = "data.nano.shares.";
    if (key.starts_with(prefix)) keys.load.nano.shares[key.substr(prefix.size())] = config.numbers(key, {});
  }
  keys.load.words.train = config.integer("data.words.train", keys.load.words.train, 1);
  keys.load.words.validation = config.integer("data.words.validation", keys.load.words.validation, 1);
  keys.load.words.test = config.integer("data.words.test", keys.load.words.test, 1);
  return keys;
}

harness::LayerChoice read_layer_choice(Config& config) {
  const std::string layers = config.text("fingerprint.layers", "last14");
  const bool differences = config.boolean("fingerprint.layer_diff", false);
  return harness::with_context("fingerprint.layers", [&] { return harness::layer_choice(layers, differences); });
}

TrainCell read_train_cell(Config& config) {
  TrainCell cell;
  config.text("base", "dapo", {"grpo", "dapo"});
  cell.model_folder = config.required_text("model.folder");
  config.text("model.identity", "");
  cell.numerics = read_numerics(config);
  cell.data = read_data(config);
  cell.settings = harness::read_train_settings(config);
  if (cell.numerics.numerics.device.is_cpu()) {  // what the keys ask for is so already
    cell.settings.optimizer.offload = cell.settings.offload_reference = false;
  }
  cell.processes = config.integer("train.processes", 1, 1, 64);
  if (cell.settings.shard != harness::Shard::none && cell.processes == 1) {
    throw Error("train.shard = \"{}\": expected train.processes > 1 beside it, found 1",
                harness::shard_name(cell.settings.shard));
  }
  cell.validation_samples = config.integer("eval.validation_samples", 8, 1);
  cell.settings.fingerprint.layers = read_layer_choice(config);
  cell.methods = baselines::make_stack(config, every_method());
  cell.needs = cell.methods.needs();
  return cell;
}

EvalCell read_eval_cell(Config& config) {
  EvalCell cell;
  cell.model_folder = config.required_text("model.folder");
  config.text("model.identity", "");
  cell.numerics = read_numerics(config);
  cell.data = read_data(config);
  cell.prompt = harness::read_prompt_settings(config);
  harness::EvalSettings& s = cell.settings;
  s.fingerprint.layers = read_layer_choice(config);
  s.n = config.integer("eval.n", 128, 1);
  s.seed = static_cast<uint64_t>(config.integer("eval.seed", 0, 0));
  s.training_seed = config.integer("eval.training_seed", 0, 0);
  harness::SamplingSettings defaults;
  defaults.max_new_tokens = config.integer("sampling.max_new_tokens", defaults.max_new_tokens, 1);
  s.sampling = harness::read_sampling_settings(config, "eval", defaults);
  s.max_rows = config.integer("eval.max_rows", 512, 1);
  s.store_ids = config.boolean("eval.store_ids", true);
  s.fingerprints = config.boolean("eval.fingerprints", true);
  s.graders = config.texts("eval.graders", {config.text("reward.grader", "recipe")});
  s.fingerprint.position = harness::position_rule(config.text("fingerprint.position", "reference", {"reference", "last_box"}));
  s.fingerprint.lens_norm_all = config.text("fingerprint.lens_norm", "last", {"last", "all"}) == "all";
  cell.train_samples = config.integer("eval.train_samples", 0, 0);
  if (config.has("eval.outcomes_folder")) {  // set by the planner for a row that grades another's responses
    cell.outcomes = config.text("eval.outcomes_folder", "");
    config.text("eval.outcomes_identity", "");
  }
  return cell;
}

PretrainCell read_pretrain_cell(Config& config) {
  PretrainCell cell;
  cell.numerics = read_numerics(config);
  cell.start = config.text("model.start", "");
  config.text("model.identity", "");
  if (cell.start.empty()) {
    harness::ModelConfig& m = cell.model;
    m.architecture = config.text("model.architecture", "qwen3", {"llama", "qwen2", "qwen3"});
    m.qk_norm = m.architecture == "qwen3";
    m.qkv_bias = m.architecture == "qwen2";
    m.layers = config.integer("model.layers", 6, 1);
    m.width = config.integer("model.width", 64, 1);
    m.heads = config.integer("model.heads", 4, 1);
    m.kv_heads = config.integer("model.kv_heads", 2, 1);
    m.head_dim = config.integer("model.head_dim", 16, 2);
    m.mlp_width = config.integer("model.mlp_width", 192, 1);
    m.max_positions = config.integer("model.max_positions", 256, 1);
    m.rope_theta = config.number("model.rope_theta", 1e4, 1, 1e12);
    m.tied_head = config.boolean("model.tied_head", false);
  }
  cell.demonstrations = config.text("data.demonstrations", "nano", datasets::demonstration_names());
  cell.load = read_data(config).load;
  cell.seed = static_cast<uint64_t>(config.integer("train.seed", 0, 0));
  cell.settings.steps = config.integer("train.steps", 1800, 1);
  cell.settings.batch = config.integer("train.batch", 32, 1);
  cell.settings.recompute_activations = config.boolean("train.recompute_activations", false);
  cell.checkpoint_every = config.integer("checkpoint.every", 100, 1);
  harness::OptimizerSettings defaults;
  defaults.lr = 2.5e-3;
  defaults.beta2 = 0.98;
  defaults.weight_decay = 0.01;
  defaults.warmup_updates = 50;
  defaults.schedule = "linear";
  defaults.flat = 0.6;
  defaults.final_ratio = 0.02;
  cell.settings.optimizer = harness::read_optimizer_settings(config, defaults);
  cell.settings.optimizer.total_updates = cell.settings.steps;
  cell.prompt = harness::read_prompt_settings(config);
  return cell;
}

LoadedModel load_model(const std::string& folder, const harness::Numerics& numerics) {
  check_device(numerics);
  LoadedModel loaded;
  loaded.model = harness::Transformer::load(folder, numerics);
  loaded.tokenizer = harness::Tokenizer::from_file(folder + "/tokenizer.json");
  return loaded;
}

double mean_right(const std::vector<harness::Outcome>& outcomes, const std::string& grader) {
  int64_t right = 0;
  for (const harness::Outcome& outcome : outcomes) right += outcome.correct(grader) ? 1 : 0;
  return outcomes.empty() ? 0 : static_cast<double>(right) / static_cast<double>(outcomes.size());
}

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace experiments
